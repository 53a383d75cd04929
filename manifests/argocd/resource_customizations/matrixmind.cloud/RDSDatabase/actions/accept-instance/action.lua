-- The operator takes up the instance only if it has this very id.
local id = actionParams["resourceId"]
if id == nil or id == "" then
  error("resourceId: type the DbiResourceId that the condition InstanceReady names", 0)
end

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["matrixmind.cloud/accept-instance"] = id
return obj
