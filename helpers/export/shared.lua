-- Small things that several of these files need.  Nothing is kept here, so each of them may load it.

local shared = {}

function shared.typst(text) return pandoc.RawInline('typst', text) end

function shared.quoted(text)
  return '"' .. text:gsub('[\\"]', '\\%0'):gsub('%s+', ' ') .. '"'
end

function shared.decoded(text)
  return (text:gsub('%%(%x%x)', function(code) return string.char(tonumber(code, 16)) end))
end

-- The list with what `read(list, i, out)` makes of its pieces: inlines, and where the piece ends that began at i, or
-- nothing where the inline stays; `out` is what has been written so far.
function shared.rewritten(list, read)
  local out, i = pandoc.Inlines {}, 1
  while i <= #list do
    local found, stop = read(list, i, out)
    out:extend(pandoc.Inlines(found or { list[i] }))
    i = (stop or i) + 1
  end
  return out
end

-- What tells of a mistake: an error that names its cell, or, in a foreign notebook, a warning and what to show instead.
function shared.teller(strict)
  local told = {}
  return function(text, instead)
    if strict then return shared.typst('#panic(' .. shared.quoted(text) .. ')') end
    if not told[text] then io.stderr:write('[WARNING] ' .. text .. '\n') end
    told[text] = true
    return instead
  end
end

return shared
