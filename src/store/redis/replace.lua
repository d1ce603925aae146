-- KEYS: the item. ARGV: the last byte of interest, what it was, what it is to be, for how long.
-- Who may not do all that is needed changes nothing.
call('TIME')
call('PTTL', KEYS[1])
local now = read(KEYS[1], ARGV[1])
if failed then
  return failed
end
if now ~= ARGV[2] then
  return now == ARGV[3] and 2 or 0
end
if ARGV[3] ~= '' then
  call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
elseif now ~= '' then
  -- As good as deleted, with a command that is needed anyway.
  call('SET', KEYS[1], '', 'PX', 1)
end
return failed or 1
