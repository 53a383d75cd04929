// Asks the database of a mounted Secret who is there.
import { readFileSync } from 'node:fs'
import pg from 'pg'

const binding = `${process.env.SERVICE_BINDING_ROOT}/orders`
const uri = readFileSync(`${binding}/uri`, 'utf8')
const client = new pg.Client({ connectionString: `${uri}&sslrootcert=${binding}/root.crt` })
try {
  await client.connect()
  const { rows } = await client.query({ text: process.env.QUESTION, rowMode: 'array' })
  console.log(rows[0][0])
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  // As people do who look for a mistake.
  console.error(client)
  await client.end()
}
