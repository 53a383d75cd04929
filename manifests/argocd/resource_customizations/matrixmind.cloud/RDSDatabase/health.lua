-- The health of an RDSDatabase, from its conditions Ready, Reconciling and Stalled.
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end

-- Whether a condition is true and speaks of the object's present generation.
local function holds(type)
  local condition = conditions[type]
  return condition ~= nil and condition.status == "True"
    and (condition.observedGeneration == nil or condition.observedGeneration == obj.metadata.generation)
end

local function health(status, condition, otherwise)
  if condition == nil or condition.message == nil then
    return { status = status, message = otherwise }
  end
  return { status = status, message = condition.reason .. ": " .. condition.message }
end

-- A deletion takes until the final snapshot is available; what holds it up is said in the message.
if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", conditions["Deleted"], "The deletion waits for the operator")
end

-- A status of an earlier generation says nothing about this one.
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", nil, "Waiting for the operator to look at this generation")
end

if holds("Stalled") then
  return health("Degraded", conditions["Stalled"])
end

if holds("Reconciling") then
  if conditions["Reconciling"].reason == "Paused" then
    return health("Suspended", conditions["Reconciling"])
  end
  return health("Progressing", conditions["Reconciling"])
end

if holds("Ready") then
  return { status = "Healthy", message = conditions["Ready"].message }
end

return health("Progressing", conditions["Ready"], "Waiting for the condition Ready")
