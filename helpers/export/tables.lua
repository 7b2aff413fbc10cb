-- Tables: what HTML says of them and pandoc does not read, and the size and the parts that a page has room for.

local tables = {}

-- The rows of each section of a table; no cell reaches from one section into another.
local function sections_of(el)
  local sections = pandoc.List { el.head.rows, el.foot.rows }
  for _, body in ipairs(el.bodies) do sections:extend { body.head, body.body } end
  return sections
end

function tables.rows_of(el)
  local rows = pandoc.List {}
  for _, section in ipairs(sections_of(el)) do rows:extend(section) end
  return rows
end

-- The colours that html_tables.py has read from the style of a cell.
local function colour(cell)
  local fill = (cell.attributes.fill or ''):match '^#%x+$'
  local text_fill = (cell.attributes['text-fill'] or ''):match '^#%x+$'
  local bold = cell.attributes.weight == 'bold'
  local given = pandoc.List {}
  if FORMAT == 'typst' then
    if fill then given:insert { 'typst:fill', 'rgb("' .. fill .. '")' } end
    if text_fill then given:insert { 'typst:text:fill', 'rgb("' .. text_fill .. '")' } end
    if bold then given:insert { 'typst:text:weight', '"bold"' } end
  else
    local style = (cell.attributes.style or '') .. (fill and ';background-color:' .. fill or '')
      .. (text_fill and ';color:' .. text_fill or '') .. (bold and ';font-weight:bold' or '')
    if style ~= '' then given:insert { 'style', style } end
  end
  cell.attributes = given
end

-- pandas aligns its columns to the right, by a style that pandoc does not read.  Where a cell has blocks, pandoc makes
-- all columns equal.  A table may have no columns at all, a foot of buttons that are gone, and cells over more columns
-- than there are.
function tables.html_table(el)
  if #el.colspecs == 0 then return {} end
  el.foot.rows = el.foot.rows:filter(function(row)
    return row.cells:find_if(function(cell) return pandoc.utils.stringify(cell.contents) ~= '' end)
  end)
  for _, column in ipairs(el.colspecs) do
    if column[1] == 'AlignDefault' then column[1] = 'AlignRight' end
    if column[2] and math.abs(column[2] * #el.colspecs - 1) < 0.01 then column[2] = nil end
  end
  for _, row in ipairs(tables.rows_of(el)) do
    local left = #el.colspecs
    for _, cell in ipairs(row.cells) do
      colour(cell)
      cell.col_span = math.max(1, math.min(cell.col_span, left))
      left = left - cell.col_span
    end
  end
  return el
end

-- Shows `visit` each cell with the first and the last column that it covers; a cell over several rows keeps its columns
-- from the rows below.
local function on_grid(el, visit)
  for _, rows in ipairs(sections_of(el)) do
    local free = {} -- column -> the row from which on nothing from above covers it
    for n, row in ipairs(rows) do
      local first = 1
      for _, cell in ipairs(row.cells) do
        while (free[first] or n) > n do first = first + 1 end
        local last = first + cell.col_span - 1
        for i = first, last do free[i] = n + cell.row_span end
        visit(cell, first, last)
        first = last + 1
      end
    end
  end
end

-- The width of each column: the longest of its words, and a gap.
local function column_widths(el)
  local widths = {}
  for i = 1, #el.colspecs do widths[i] = 0 end
  on_grid(el, function(cell, first, last)
    for word in pandoc.utils.stringify(cell.contents):gmatch '%S+' do
      local share = ((utf8.len(word) or #word) + 2.5) / (last - first + 1)
      for i = first, math.min(last, #widths) do widths[i] = math.max(widths[i], 3.5, share) end
    end
  end)
  return widths
end

-- The same table with these columns alone; a cell over several keeps as many of them as there are.
local function with_columns(el, columns, first_part)
  local part, chosen = el:clone(), {}
  part.colspecs = columns:map(function(i) return el.colspecs[i] end)
  for _, i in ipairs(columns) do chosen[i] = true end
  on_grid(part, function(cell, first, last)
    local left = 0
    for i = first, last do left = left + (chosen[i] and 1 or 0) end
    cell.col_span = left
  end)
  for _, row in ipairs(tables.rows_of(part)) do
    row.cells = row.cells:filter(function(cell) return cell.col_span > 0 end)
  end
  if not first_part then part.caption.long, part.identifier = {}, '' end
  return part
end

local FITS = 98 -- characters of a table across the page
local LONG = 200 -- characters of a cell that may go over several pages, which are no more than half a page if it is narrow
local SMALLEST = 0.6 -- of the size of other tables; one that would be smaller is cut into parts with the same first columns

-- How many columns name the rows, and are repeated in each part: those of row heads, if they leave room for others.
local function n_names(el, widths, room)
  local n, width = el.bodies[1] and el.bodies[1].row_head_columns or 1, 0
  for i = 1, n do width = width + widths[i] end
  return width < room / 2 and math.max(n, 1) or 1
end

local function parts_of(el)
  local widths, total = column_widths(el), 0
  for _, width in ipairs(widths) do total = total + width end
  local room = FITS / SMALLEST
  if total <= room or #widths < 3 then return pandoc.List { el }, total end
  local names, parts, columns, used = n_names(el, widths, room), pandoc.List {}, pandoc.List {}, 0
  for i, width in ipairs(widths) do
    if used + width > room and #columns > names then
      parts:insert(with_columns(el, columns, #parts == 0))
      columns, used = pandoc.List {}, 0
      for k = 1, names do
        columns:insert(k)
        used = used + widths[k]
      end
    end
    columns:insert(i)
    used = used + width
  end
  parts:insert(with_columns(el, columns, #parts == 0))
  return parts, room
end

-- A table is set smaller when the longest words of its columns do not fit side by side, cut when it would be too small,
-- and may go over several pages when it is long.
function tables.sized(el)
  local n_rows, long = 0, false
  for _, body in ipairs(el.bodies) do n_rows = n_rows + #body.body end
  for _, row in ipairs(tables.rows_of(el)) do
    for _, cell in ipairs(row.cells) do long = long or #pandoc.utils.stringify(cell.contents) > LONG end
  end
  local parts, total = parts_of(el)
  local scale = math.max(0.4, FITS / total)
  local settings = (scale < 1 and ('#show table: set text(size: %.2fem)'):format(scale) or '')
    .. (n_rows > 25 and '\n#show figure: set block(breakable: true)' or '')
    .. (long and '\n#set table.cell(breakable: true)' or '')
  if settings == '' then return el end
  local out = pandoc.Blocks { pandoc.RawBlock('typst', '#[' .. settings) }
  out:extend(parts)
  out:insert(pandoc.RawBlock('typst', ']'))
  return out
end

return tables
