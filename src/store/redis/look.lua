-- KEYS: the items. ARGV: the last byte of interest.
local now = call('TIME')
local answer = {now[1], now[2]}
for _, item in ipairs(KEYS) do
  answer[#answer + 1] = read(item, ARGV[1])
  answer[#answer + 1] = call('PTTL', item)
end
return failed or answer
