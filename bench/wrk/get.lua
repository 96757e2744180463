-- GET one of many: paths stand in the file that IDS names.
local paths = {}
function init(args)
    for line in io.lines(os.getenv("IDS")) do paths[#paths + 1] = line end
    math.randomseed(os.time())
end
local headers = { ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Clerk-API-Version"] = "2025-04-10" }
function request()
    return wrk.format("GET", (os.getenv("PREFIX") or "") .. paths[math.random(#paths)], headers)
end
