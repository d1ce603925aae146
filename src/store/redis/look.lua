-- KEYS: the token, the back-off. ARGV: the last byte of interest.
local now = call('TIME')
local token, backoff = read(KEYS[1], ARGV[1]), read(KEYS[2], ARGV[1])
local token_left, backoff_left = call('PTTL', KEYS[1]), call('PTTL', KEYS[2])
return failed or {now[1], now[2], token, token_left, backoff, backoff_left}
