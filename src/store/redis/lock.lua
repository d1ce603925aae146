-- KEYS: the lease. ARGV: who asks, for how long, whom it takes over from.
call('TIME')
local holder, left = read(KEYS[1], 31), call('PTTL', KEYS[1])
if failed then
  return failed
end
local is_lease = holder ~= '' and holder ~= WRONG_TYPE
-- One that does not run out is nobody's.
if is_lease and holder ~= ARGV[1] and holder ~= ARGV[3] and left >= 0 then
  return holder
end
call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return failed or 1
