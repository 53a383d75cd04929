local lost = nil
if obj.status ~= nil and obj.status.instance ~= nil then
  lost = obj.status.instance.resourceId
end
if lost == nil then
  error("status.instance.resourceId: no instance of this object is lost", 0)
end

-- An empty database in place of the lost one takes the name that a restore would need: whoever wants that says which one is lost.
local id = actionParams["resourceId"]
if id ~= lost then
  error("resourceId: type " .. lost .. ", the DbiResourceId of the lost instance, to get a new, empty one in its place", 0)
end

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["matrixmind.cloud/recreate-lost-instance"] = id
return obj
