-- KEYS: the lease. ARGV: whose it is.
if read(KEYS[1], 31) == ARGV[1] then
  call('SET', KEYS[1], '', 'PX', 1)
end
return failed or 1
