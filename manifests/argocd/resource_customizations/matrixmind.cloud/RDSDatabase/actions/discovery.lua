-- Both actions lead out of a state that the operator does not leave by itself. Each is there only in that state, and each wants the id of
-- the instance to be typed: one click takes no decision about data.
local actions = {}

local instance = nil
if obj.status ~= nil and obj.status.conditions ~= nil and obj.metadata.deletionTimestamp == nil
  and obj.status.observedGeneration == obj.metadata.generation then
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == "InstanceReady" and condition.status == "False" then
      instance = condition.reason
    end
  end
end

if instance == "InstanceOfPredecessor" or instance == "InstanceReplaced" then
  actions["accept-instance"] = {
    ["displayName"] = "Take up the instance with this DbiResourceId",
    ["iconClass"] = "fa fa-fw fa-handshake",
    ["params"] = { { ["name"] = "resourceId" } }
  }
end

if instance == "InstanceLost" then
  actions["recreate-lost-instance"] = {
    ["displayName"] = "Replace the lost instance (type its DbiResourceId) by a new, EMPTY one",
    ["iconClass"] = "fa fa-fw fa-exclamation-triangle",
    ["params"] = { { ["name"] = "resourceId" } }
  }
end

return actions
