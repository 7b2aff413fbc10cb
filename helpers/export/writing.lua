-- What pandoc's Typst writer does not know and no other file has: maths, anchors, tasks, boxes, the ends of calls.

local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local typst, quoted = shared.typst, shared.quoted
local writing = {}

-- A formula that is a paragraph and in the style of display, as of SymPy, is one, and made to fit.
function writing.alone(el)
  local math = el.content[1]
  if #el.content == 1 and math.t == 'Math' and math.text:match '^%s*\\displaystyle' then
    math.mathtype = 'DisplayMath'
    math.text = math.text:gsub('^%s*\\displaystyle%f[%A]%s*', '')
    el.content[1] = math
    return el
  end
end

-- Maths is written by maths.py, which finds it by this; the semicolon keeps what follows out of it.
function writing.maths(el)
  local block = el.mathtype == 'DisplayMath'
  local rows = block and (el.text:match '\\label%s*{' or el.text:match '\\tag%*?%s*{')
  return typst(('#maths(%s, block: %s)[];'):format(quoted(el.text), rows and 'rows' or block))
end

function writing.span(el)
  if el.classes:includes 'equation' then
    local tag = el.attributes.tag
    local numbering = tag and ('tagged(%s, %s)'):format(quoted(tag), quoted(el.attributes.number)) or '"(1)"'
    el.content:insert(1, typst('#[#set math.equation(numbering: ' .. numbering .. ')\n'))
    local last = el.content[#el.content]
    local label = el.identifier ~= '' and ', label: ' .. quoted(el.identifier):gsub('%%', '%%%%') or ''
    last.text = last.text:gsub('%)%[%];$', label .. ')[];' .. (tag and '#uncounted();]' or ']'))
    return el.content
  end
  if el.identifier ~= '' then
    el.content:insert(1, typst('#anchor(' .. quoted(el.identifier) .. ')'))
  end
  return el.content
end

-- Typst would read what follows a call, as in #strong[x].ipynb, as a part of it.
local calls = {
  Strong = true, Emph = true, Subscript = true, Superscript = true, Underline = true, Strikeout = true, Link = true,
}
function writing.end_calls(list)
  for i = #list - 1, 1, -1 do
    local ours = list[i].t == 'Link' and not list[i].target:match '^%a[%w+.-]*:'
    if calls[list[i].t] and not ours and list[i + 1].t == 'Str' and list[i + 1].text:match '^[.(%[]' then
      list:insert(i + 1, typst ';')
    end
  end
  return list
end

-- Tasks have their box for a bullet.
function writing.task_list(el)
  local boxes, out = pandoc.List {}, pandoc.Blocks {}
  for _, item in ipairs(el.content) do
    local words = item[1] and item[1].content
    local box = words and words[1] and words[1].text
    if box ~= '☐' and box ~= '☒' then return nil end
    boxes:insert('"' .. box .. '"')
    words:remove(1)
    out:insert(pandoc.RawBlock('typst', ', ['))
    out:extend(item)
    out:insert(pandoc.RawBlock('typst', ']'))
  end
  out:insert(1, pandoc.RawBlock('typst', '#enum(numbering: n => (' .. table.concat(boxes, ',') .. ',).at(n - 1)'))
  out:insert(pandoc.RawBlock('typst', ')'))
  return out
end

-- Boxes, of GitHub, MyST and Quarto by their classes.
local BOXES = {}
for name in ('note tip hint important warning caution attention danger error seealso admonition alert'):gmatch '%a+' do
  BOXES[name] = true
end

function writing.div(el)
  local open
  for _, class in ipairs(el.classes) do
    local name = class:gsub('^callout%-', '')
    if class == 'references' then open = '#references[' end
    if BOXES[name] then open = '#admonition[' end
  end
  if not open then
    local title = el.classes:includes 'title' and pandoc.utils.blocks_to_inlines(el.content)
    return title and pandoc.Para(pandoc.Strong(title)) or nil
  end
  el.content:insert(1, pandoc.RawBlock('typst', open))
  el.content:insert(pandoc.RawBlock('typst', ']'))
  return el.content
end

return writing
