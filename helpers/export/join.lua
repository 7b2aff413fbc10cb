-- From the cells of many notebooks to one document, in pandoc's own tree and for every output alike: sections, names,
-- numbers, links.  What is wrong is told, each with its notebook and cell; a strict report is then not made.

local stringify = pandoc.utils.stringify
local problems, names = {}, {} -- names: anchor -> { place, number }, of all that a link can lead to
local strict = false
local gone = pandoc.List {} -- what links of foreign notebooks lead to, and is not here

local function problem(cell, text)
  local told = ('notebook %s, cell %s: %s'):format(cell.notebook, cell.index, text)
  if strict then problems[#problems + 1] = told else io.stderr:write('[WARNING] ' .. told .. '\n') end
end

-- The cells: tables with notebook, index, whether they stand in the appendix, and blocks.
local function split(doc)
  local cells, appendix = { { notebook = 'report', index = 'title page', blocks = pandoc.Blocks {} } }, false
  for _, block in ipairs(doc.blocks) do
    local text = block.t == 'RawBlock' and block.text:match '^(.-)%s*$' or ''
    local index, notebook = text:match '^// cell (%S+) of (.*)$'
    appendix = appendix or text == '#show: appendix'
    if index then
      cells[#cells + 1] = { notebook = notebook, index = index, appendix = appendix, blocks = pandoc.Blocks {} }
    end
    cells[#cells].blocks:insert(block)
  end
  return cells
end

local function headings(cells)
  return coroutine.wrap(function()
    for _, cell in ipairs(cells) do
      for _, block in ipairs(cell.blocks) do
        if block.t == 'Header' then coroutine.yield(cell, block) end
      end
    end
  end)
end

-- Only a heading that stands free in a Markdown cell is a section; one in an output, a list or a box is bold.
local function plain_inner_headings(cells)
  local bold = { Header = function(el) return pandoc.Para { pandoc.Strong(el.content) } end }
  for _, cell in ipairs(cells) do
    for i, block in ipairs(cell.blocks) do
      if block.t ~= 'Header' then cell.blocks[i] = block:walk(bold) end
    end
  end
end

-- The highest heading of each notebook's part of the appendix becomes a section.
local function raise_appendix(cells)
  local highest = {}
  for cell, el in headings(cells) do
    if cell.appendix then highest[cell.notebook] = math.min(highest[cell.notebook] or 6, el.level) end
  end
  for cell, el in headings(cells) do
    if cell.appendix then el.level = el.level - highest[cell.notebook] + 1 end
  end
end

-- Notes an anchor and returns it, or nothing where it has been noted before.
local function name(cell, anchor, number)
  local before = names[anchor]
  if before then
    problem(cell, ('the anchor %s stands in notebook %s, cell %s too; rename one of them.'):format(
      anchor, before.cell.notebook, before.cell.index))
    return ''
  end
  names[anchor] = { cell = cell, number = number, anchor = anchor }
  return anchor
end

-- 2.1, or A.1 in the appendix.
local function next_number(counts, cell, level)
  if cell.appendix and not counts.letters then counts = { letters = true } end
  counts[level] = (counts[level] or 0) + 1
  local parts = {}
  for i = 1, level do
    counts[i] = counts[i] or 0
    parts[i] = i == 1 and cell.appendix and string.char(64 + counts[i]) or tostring(counts[i])
  end
  for i = level + 1, 6 do counts[i] = nil end
  return table.concat(parts, '.'), counts
end

-- A heading is named after its notebook and its words, the first of a notebook after the notebook alone.
local function name_headings(cells)
  local counts, n_same = {}, {}
  for cell, el in headings(cells) do
    el.attributes.number, counts = next_number(counts, cell, el.level)
    local words = stringify(el.content):gsub('%s+$', ''):gsub(' ', '-')
    local own = el.identifier ~= '' and el.identifier ~= words
    local long = cell.notebook .. '--' .. words
    n_same[long] = (n_same[long] or 0) + 1
    if n_same[long] > 1 then long = long .. '-' .. n_same[long] end
    local first = el.level == 1 and not names[cell.notebook] and not cell.appendix
    el.identifier = name(cell, own and el.identifier or first and cell.notebook or long, el.attributes.number)
    names[cell.notebook] = names[cell.notebook] or names[el.identifier]
    names[long] = names[long] or names[el.identifier]
  end
end

local function kind(anchor) return anchor:match '^(fig)%-' or anchor:match '^(tbl)%-' or anchor:match '^(eq)%-' end

-- Figures, tables and equations are counted through the report; other anchors have no number.
local function name_items(cells)
  local counts = { fig = 0, tbl = 0, eq = 0 }
  for _, cell in ipairs(cells) do
    local function item(el)
      local anchor = el.identifier
      if anchor == '' then return nil end
      local of = kind(anchor)
      if el.t == 'Span' and (of == 'fig' or of == 'tbl') then
        problem(cell, ('the anchor %s belongs to no caption. A caption is a Markdown cell right under the output '
          .. 'that begins with **%s 1.**; its anchor ends the Markdown cell right above the code'):format(
          anchor, of == 'fig' and 'Figure' or 'Table'))
      elseif of and not el.attributes.tag then
        counts[of] = counts[of] + 1
        el.attributes.number = tostring(counts[of])
      end
      el.identifier = name(cell, anchor, el.attributes.tag or el.attributes.number)
      return el
    end
    cell.blocks = cell.blocks:walk { traverse = 'topdown', Span = item, Figure = item, Table = item }
  end
end

-- Where a link of this cell leads in the report; nil where it leads out of the report.
local function goal(cell, target, decoded)
  local file, anchor = target:match '^([^#]*)#?(.*)$'
  local notebook = decoded(file):match '([^/]+)%.ipynb$'
  if target:match '^%a[%w+.-]*:' or (file ~= '' and not notebook) then return nil end
  anchor = decoded(anchor):gsub('`', '') -- of code in a heading, which JupyterLab keeps in a name and pandoc does not
  local found = anchor == '' and names[notebook] or names[(notebook or cell.notebook) .. '--' .. anchor] or names[anchor]
  if not found and not strict then
    if not target:match '^#eq%-' and not gone:includes(target) then gone:insert(target) end -- an equation is told of by references.lua
  elseif not found then
    problem(cell, ('the link to %s has no target here; correct it, put an anchor where it should lead, or add '
      .. 'its notebook.'):format(target))
  end
  return found
end

local function resolve_links(cells, decoded)
  for _, cell in ipairs(cells) do
    cell.blocks = cell.blocks:walk {
      Link = function(el)
        local found = goal(cell, el.target, decoded)
        if not found then return nil end
        el.target = '#' .. found.anchor
        local last, before = el.content[#el.content], el.content[#el.content - 1]
        if el.classes:includes 'eqref' then
          last.text = found.number
        elseif el.classes:includes 'named' then
          local word = ({ fig = 'Figure', tbl = 'Table', eq = 'Equation' })[kind(found.anchor)] or 'Section'
          el.content = { pandoc.Str(word), pandoc.Space(), pandoc.Str(found.number) }
        elseif strict and found.number and before and before.t == 'Space' and last.t == 'Str' and last.text:match '^[%dA-Z][%d.]*$' then
          last.text = found.number
        end
        return el
      end,
      Math = function(el)
        if FORMAT == 'typst' then return nil end -- which finds the numbers itself, with links
        el.text = el.text:gsub('\\(e?q?)ref%s*{([^{}]+)}', function(kind, label)
          return (kind == 'eq' and '(\\text{%s})' or '\\text{%s}'):format(names['eq-' .. label].number)
        end)
        return el
      end,
    }
  end
end

return function(doc, decoded)
  strict = doc.meta.strict ~= nil
  local cells = split(doc)
  plain_inner_headings(cells)
  raise_appendix(cells)
  name_headings(cells)
  name_items(cells)
  resolve_links(cells, decoded)
  if #gone > 0 then
    local more = #gone > 5 and (' and %d more'):format(#gone - 5) or ''
    io.stderr:write(('[WARNING] the link%s to %s%s %s no target here.\n'):format(#gone > 1 and 's' or '',
      table.concat(gone, ', ', 1, math.min(5, #gone)), more, #gone > 1 and 'have' or 'has'))
  end
  doc.blocks = pandoc.Blocks {}
  for _, cell in ipairs(cells) do doc.blocks:extend(cell.blocks) end
  return doc, problems
end
