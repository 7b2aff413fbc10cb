-- Tables: what HTML says of them and pandoc does not read, and the size and the parts that a page has room for.

local tables = {}

function tables.rows_of(el)
  local rows = el.head.rows .. el.foot.rows
  for _, body in ipairs(el.bodies) do rows = rows .. body.head .. body.body end
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

-- The width of each column: the longest of its words, and a gap; and whether a cell spans others.
local function column_widths(el)
  local widths, spans = {}, false
  local function measure(row)
    for i, cell in ipairs(row.cells) do
      spans = spans or cell.col_span > 1 or cell.row_span > 1
      for word in pandoc.utils.stringify(cell.contents):gmatch '%S+' do
        widths[i] = math.max(widths[i] or 3.5, (utf8.len(word) or #word) + 2.5)
      end
    end
  end
  for _, row in ipairs(tables.rows_of(el)) do measure(row) end
  return widths, spans
end

-- The same table with these columns alone.
local function with_columns(el, columns, first)
  local part = el:clone()
  local function pick(list) return columns:map(function(i) return list[i] end) end
  local function pick_cells(row) row.cells = pick(row.cells) return row end
  part.colspecs = pick(el.colspecs)
  part.head.rows = el.head.rows:map(function(row) return pick_cells(row:clone()) end)
  part.foot.rows = el.foot.rows:map(function(row) return pick_cells(row:clone()) end)
  for i, body in ipairs(el.bodies) do
    part.bodies[i].body = body.body:map(function(row) return pick_cells(row:clone()) end)
  end
  if not first then part.caption.long, part.identifier = {}, '' end
  return part
end

local FITS = 98 -- characters of a table across the page
local LONG = 200 -- characters of a cell that may go over several pages, which are no more than half a page if it is narrow
local SMALLEST = 0.6 -- of the size of other tables; one that would be smaller is cut into parts with the same first column

local function parts_of(el)
  local widths, spans = column_widths(el)
  local total = 0
  for _, width in pairs(widths) do total = total + width end
  local room = FITS / SMALLEST
  if total <= room or spans or #el.colspecs < 3 then return pandoc.List { el }, total end
  local parts, columns, used = pandoc.List {}, pandoc.List { 1 }, widths[1] or 0
  for i = 2, #el.colspecs do
    if used + (widths[i] or 0) > room and #columns > 1 then
      parts:insert(with_columns(el, columns, #parts == 0))
      columns, used = pandoc.List { 1 }, widths[1] or 0
    end
    columns:insert(i)
    used = used + (widths[i] or 0)
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
