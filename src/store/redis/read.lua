-- The first answer that was an error: the command, and what was said.
local failed

local function call(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then
    failed = failed or {command, answer.err}
  end
  return answer
end

-- What a key holds, up to a last byte; '' for nothing. What is no string opens as little as this word does.
local WRONG_TYPE = 'WRONGTYPE'
local function read(key, last)
  local value = redis.pcall('GETRANGE', key, 0, last)
  if type(value) == 'string' then
    return value
  end
  if not string.find(value.err, WRONG_TYPE, 1, true) then
    failed = failed or {'GETRANGE', value.err}
  end
  return WRONG_TYPE
end

