-- Create users nobody has yet.
local count, run = 0, os.getenv("RUN")
local headers = { ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }
local metadata = string.rep("m", 480)
function request()
    count = count + 1
    local name = run .. "x" .. count
    local body = '{"first_name":"Grace","last_name":"Hopper","skip_password_requirement":true,"email_address":["'
        .. name .. '@example.com","' .. name .. '@example.org"],"phone_number":["+1' .. string.format("%012d", tonumber(run) * 1000000 + count)
        .. '"],"public_metadata":{"note":"' .. metadata .. '"}}'
    return wrk.format("POST", "/v1/users", headers, body)
end
