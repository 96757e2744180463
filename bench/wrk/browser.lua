-- What a page asks: paths and cookies stand in the file that IDS names, the method in RUN.
local asks, method = {}, os.getenv("RUN")
function init(args)
    for line in io.lines(os.getenv("IDS")) do
        local path, cookie = line:match("^(%S+) (%S+)$")
        local headers = { ["Origin"] = "http://localhost:3000", ["Cookie"] = cookie }
        if method == "POST" then headers["Content-Type"] = "application/x-www-form-urlencoded" end
        asks[#asks + 1] = { path = path .. "?__clerk_api_version=2026-08-20", headers = headers }
    end
    math.randomseed(os.time())
end
function request()
    local ask = asks[math.random(#asks)]
    return wrk.format(method, ask.path, ask.headers)
end
