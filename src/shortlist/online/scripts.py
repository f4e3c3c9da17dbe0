"""What runs inside Redis: steps that must be whole, however many processes write.

Each script touches keys of one hash tag only. The byte layouts are those of
`shortlist.online.packing` and `shortlist.online.entries`; a value that has another one is replaced.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from shortlist.online.packing import HISTORY_HEAD, LAYOUT, RECORD, SHOWN_HEAD

_HISTORY: Final = f"""
local LAYOUT, HEAD, RECORD = {LAYOUT}, {HISTORY_HEAD.size}, {RECORD.itemsize}
local FORM = '<BxxxI4I4I4I4'

local function sound(value, head, row)
  return value and #value >= head and string.byte(value, 1) == LAYOUT
    and (#value - head) % row == 0
end

local function head_of(value)
  local _, version, shown, clicked, source = struct.unpack(FORM, value)
  return version, shown, clicked, source
end

local function at_of(record) return (struct.unpack('<I4', record, 9)) end

-- The place of the last (or first) whole row that begins with these bytes, or nil.
local function place_of(rows, row, start, first)
  local found, from = nil, 1
  while true do
    local at = string.find(rows, start, from, true)
    if not at then return found end
    if (at - 1) % row == 0 then
      found = at
      if first then return found end
    end
    from = at + 1
  end
end
"""

APPEND_TEXT: Final = (
    _HISTORY
    + """
-- KEYS: history, declared features, event ids, log.
-- ARGV: now, events kept, their lifetime, ids kept, their lifetime, entries of the log,
--       seconds in which events of a video are one; then of each event its id and record
--       (8 + 13 bytes), and its entry in the log.
local now, keep, lifetime = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local ids_keep, ids_lifetime = tonumber(ARGV[4]), ARGV[5]
local log_keep, join = ARGV[6], tonumber(ARGV[7])

local history, events = redis.call('GET', KEYS[1]), ''
-- Versions begin at the time, so that those of a history that was lost never come back.
local version, shown, clicked, source = now - 1, 0, 0, 0
if sound(history, HEAD, RECORD) then
  version, shown, clicked, source = head_of(history)
  events = string.sub(history, HEAD + 1)
end
local ids = redis.call('GET', KEYS[3])
if sound(ids, 1, 8) then ids = string.sub(ids, 2) else ids = '' end

local told, new, changed = {}, false, false
for i = 8, #ARGV, 2 do
  local id, record = string.sub(ARGV[i], 1, 8), string.sub(ARGV[i], 9)
  if place_of(ids, 8, id, true) then
    told[#told + 1] = 0
  else
    told[#told + 1], new, ids = 1, true, ids .. id
    local at, kind = at_of(record), string.byte(record, 13)
    local same = place_of(events, RECORD, string.sub(record, 1, 8))
    if same and math.abs(at - at_of(string.sub(events, same, same + 12))) > join then same = nil end
    if same then
      local before = string.byte(events, same + 12)
      if kind > before then
        events = string.sub(events, 1, same + 11) .. string.char(kind)
          .. string.sub(events, same + 13)
        if before < 2 and kind >= 2 then clicked = clicked + 1 end
        changed = true
      end
    else
      local place = #events + 1
      while place > 1 and at_of(string.sub(events, place - RECORD, place - 1)) > at do
        place = place - RECORD
      end
      events = string.sub(events, 1, place - 1) .. record .. string.sub(events, place)
      shown = shown + 1
      if kind >= 2 then clicked = clicked + 1 end
      if kind > 0 then changed = true end
    end
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', log_keep, '*', 'e', ARGV[i + 1])
  end
end
if new then
  if changed or not history then version = version + 1 end
  if #events > keep * RECORD then events = string.sub(events, -keep * RECORD) end
  redis.call('SET', KEYS[1],
    struct.pack(FORM, LAYOUT, version, shown, clicked, source) .. events, 'EX', lifetime)
  redis.call('EXPIRE', KEYS[2], lifetime)
  if #ids > ids_keep * 8 then ids = string.sub(ids, -ids_keep * 8) end
  redis.call('SET', KEYS[3], string.char(LAYOUT) .. ids, 'EX', ids_lifetime)
end
return {version, told}
"""
)

LOAD_TEXT: Final = (
    _HISTORY
    + """
-- KEYS: history, declared features, those who are gone.
-- ARGV: user, now, events kept, lifetime, a history as loaded, features.
local loaded, keep, now = ARGV[5], tonumber(ARGV[3]), tonumber(ARGV[2])
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[6], 'EX', ARGV[4])
local _, shown, clicked, source = head_of(loaded)
local version, events = now, string.sub(loaded, HEAD + 1)
local history = redis.call('GET', KEYS[1])
if sound(history, HEAD, RECORD) then
  local before, _, _, under = head_of(history)
  if under == source then
    redis.call('EXPIRE', KEYS[1], ARGV[4])
    return 1
  end
  if before >= version then version = before + 1 end
  -- What came since the log ended stays on top.
  local ended = #events > 0 and at_of(string.sub(events, -RECORD)) or -1
  for place = HEAD + 1, #history, RECORD do
    local record = string.sub(history, place, place + RECORD - 1)
    if at_of(record) > ended then
      events, shown = events .. record, shown + 1
      if string.byte(record, 13) >= 2 then clicked = clicked + 1 end
    end
  end
end
if #events > keep * RECORD then events = string.sub(events, -keep * RECORD) end
redis.call('SET', KEYS[1],
  struct.pack(FORM, LAYOUT, version, shown, clicked, source) .. events, 'EX', ARGV[4])
return 2
"""
)

_FORGOTTEN: Final = """
-- Whether a user asked to be forgotten after something was made of him.
local function forgotten(gone, user, made)
  local at = redis.call('ZSCORE', gone, user)
  return at and tonumber(made) <= tonumber(at)
end
"""

SERVED_TEXT: Final = (
    _FORGOTTEN
    + f"""
-- KEYS: sessions, log, those who are gone.
-- ARGV: now, session, videos of the page, videos kept, ranked list or nothing, lifetime,
--       sessions kept, entries of the log, entry, user, when the page was asked for.
if forgotten(KEYS[3], ARGV[10], ARGV[11]) then return 0 end
local LAYOUT, HEAD = {LAYOUT}, {SHOWN_HEAD.size}
local shown, before = redis.call('HGET', KEYS[1], 's' .. ARGV[2]), 0
if shown and string.byte(shown, 1) == LAYOUT and #shown >= HEAD and (#shown - HEAD) % 8 == 0 then
  before, shown = struct.unpack('<I4', shown, 6), string.sub(shown, HEAD + 1)
else
  shown = ''
end
for from = 1, #ARGV[3], 8 do
  local video, at, known = string.sub(ARGV[3], from, from + 7), 1, false
  while at and not known do
    at = string.find(shown, video, at, true)
    if at then known, at = (at - 1) % 8 == 0, at + 1 end
  end
  if not known then shown = shown .. video end
end
local keep = tonumber(ARGV[4]) * 8
if #shown > keep then
  before, shown = before + (#shown - keep) / 8, string.sub(shown, -keep)
end
redis.call('HSET', KEYS[1], 's' .. ARGV[2],
  struct.pack('<BI4I4', LAYOUT, tonumber(ARGV[1]), before) .. shown)
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'l' .. ARGV[2], ARGV[5]) end
redis.call('EXPIRE', KEYS[1], ARGV[6])

if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[7]) then
  local fields, ages = redis.call('HKEYS', KEYS[1]), {{}}
  for _, field in ipairs(fields) do
    if string.sub(field, 1, 1) == 's' then
      local value = redis.call('HGET', KEYS[1], field)
      local at = #value >= HEAD and struct.unpack('<I4', value, 2) or 0
      ages[#ages + 1] = {{at, string.sub(field, 2)}}
    end
  end
  table.sort(ages, function(a, b) return a[1] > b[1] end)
  for i = tonumber(ARGV[7]) + 1, #ages do
    redis.call('HDEL', KEYS[1], 's' .. ages[i][2], 'l' .. ages[i][2])
  end
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[8], '*', 'e', ARGV[9])
return 1
"""
)

KEEP_TEXT: Final = (
    _FORGOTTEN
    + """
-- KEYS: user vector, those who are gone. ARGV: user, when it was made, lifetime, the vector.
if forgotten(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[3])
return 1
"""
)

FORGET_TEXT: Final = """
-- KEYS: log, those who are gone, then all keys of the user.
-- ARGV: user, now, how the user's entries begin after their first two bytes, tombstone.
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end
local from, gone = '-', 0
while true do
  local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 500)
  if #entries == 0 then break end
  local mine = {}
  for _, entry in ipairs(entries) do
    -- Types 1 and 2: events and pages. A takedown's subject is a video.
    local type = string.byte(entry[2][2], 2)
    if (type == 1 or type == 2) and string.sub(entry[2][2], 3, 10) == ARGV[3] then
      mine[#mine + 1] = entry[1]
    end
  end
  if #mine > 0 then gone = gone + redis.call('XDEL', KEYS[1], unpack(mine)) end
  from = '(' .. entries[#entries][1]
end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
-- Never trimmed away by its own coming: the archive has to learn of it.
redis.call('XADD', KEYS[1], '*', 'e', ARGV[4])
return gone
"""

BLOCK_TEXT: Final = """
-- KEYS: blocklist, its version, log. ARGV: what to do, video, new version, entry.
redis.call(ARGV[1], KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[3])
redis.call('XADD', KEYS[3], '*', 'e', ARGV[4])
return 1
"""


@dataclass(frozen=True)
class Script:
    """A script, and the name by which Redis knows it once it was loaded."""

    text: str

    @cached_property
    def sha(self) -> str:
        """SHA-1 of the text, as Redis names scripts."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


APPEND: Final = Script(APPEND_TEXT)
LOAD: Final = Script(LOAD_TEXT)
SERVED: Final = Script(SERVED_TEXT)
KEEP: Final = Script(KEEP_TEXT)
FORGET: Final = Script(FORGET_TEXT)
BLOCK: Final = Script(BLOCK_TEXT)
ALL: Final = (APPEND, LOAD, SERVED, KEEP, FORGET, BLOCK)
