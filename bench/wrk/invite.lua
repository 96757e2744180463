-- Invite ten people nobody has invited yet.
-- A database that was kept has those of the run before.
local count, run = 0, os.getenv("RUN") .. "x" .. os.time()
local headers = { ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }
function request()
    count = count + 1
    local items = {}
    for item = 1, 10 do
        items[item] = '{"email_address":"' .. run .. "x" .. count .. "x" .. item .. '@example.com","public_metadata":{"plan":"pro"}}'
    end
    return wrk.format("POST", "/v1/invitations/bulk", headers, "[" .. table.concat(items, ",") .. "]")
end
