// Asks the database of a mounted Secret who is there. PGSSLROOTCERT names the authorities; pgx reads it by itself.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/tracelog"
)

func main() {
	ctx := context.Background()
	uri, err := os.ReadFile(filepath.Join(os.Getenv("SERVICE_BINDING_ROOT"), "orders", "uri"))
	if err != nil {
		log.Fatal(err)
	}
	config, err := pgx.ParseConfig(string(uri))
	if err != nil {
		log.Fatal(err)
	}
	logEverything(config)
	findLocalhost(config)
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		log.Fatalf("%v (%+v)", err, err)
	}
	defer connection.Close(ctx)
	var answer string
	if err := connection.QueryRow(ctx, os.Getenv("QUESTION")).Scan(&answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}

func logEverything(config *pgx.ConnConfig) {
	all := tracelog.LoggerFunc(func(_ context.Context, level tracelog.LogLevel, message string, data map[string]any) {
		log.Println(level, message, data)
	})
	config.Tracer = &tracelog.TraceLog{Logger: all, LogLevel: tracelog.LogLevelTrace}
}

// Names below localhost lead to this machine (RFC 6761); getaddrinfo may know that, but a program that is built without cgo asks DNS alone.
func findLocalhost(config *pgx.ConnConfig) {
	lookup := config.LookupFunc
	config.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		if strings.HasSuffix(host, ".localhost") {
			return []string{net.IPv4(127, 0, 0, 1).String()}, nil
		}
		return lookup(ctx, host)
	}
}
