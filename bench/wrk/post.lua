-- POST to one of many, without a body.
local paths = {}
function init(args)
    for line in io.lines(os.getenv("IDS")) do paths[#paths + 1] = line end
    math.randomseed(os.time())
end
local headers = { ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }
function request()
    return wrk.format("POST", paths[math.random(#paths)], headers)
end
