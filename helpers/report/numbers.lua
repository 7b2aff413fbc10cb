-- Numbers as people write them, in text and tables: 6.3·10⁻⁴ for 6.3e-04, a true minus, no break at ±, and columns
-- that are aligned at the decimal point.

local stringify = pandoc.utils.stringify
local NO_BREAK, FIGURE_SPACE, POINT_SPACE = '\u{a0}', '\u{2007}', '\u{2008}'

-- `6.3e-04` in decimals where that is short, else as a power of ten.
local function power_of_ten(mantissa, exponent, after)
  local n_digits = #mantissa:gsub('%D', '')
  if exponent >= -3 and exponent <= 5 then
    local decimals = math.max(0, n_digits - 1 - exponent)
    return { pandoc.Str(('%.' .. decimals .. 'f'):format(tonumber(mantissa) * 10 ^ exponent) .. after) }
  end
  local factor = mantissa:match '^10*%.?0*$' and '' or mantissa .. NO_BREAK .. '·' .. NO_BREAK
  local power = tostring(exponent):gsub('%-', '−')
  return { pandoc.Str(factor .. '10'), pandoc.Superscript(power), pandoc.Str(after) }
end

local function number(el)
  local before, mantissa, exponent, after = el.text:match '^([(%[−-]*)(%d%.?%d*)e([+-]?%d+)([%p%%]*)$'
  local text = (before or el.text):gsub('^([(%[]?)%-(%f[%d%z])', '%1−')
  if not mantissa then return pandoc.Str(text) end
  local written = pandoc.Inlines(power_of_ten(mantissa, math.tointeger(exponent), after))
  written[1].text = text .. written[1].text
  return written
end

local function no_break_at_deviation(list)
  for i, el in ipairs(list) do
    if el.t == 'Str' and el.text == '±' then
      for _, beside in ipairs { i - 1, i + 1 } do
        local blank = list[beside] and (list[beside].t == 'Space' or list[beside].t == 'SoftBreak')
        if blank then list[beside] = pandoc.Str(NO_BREAK) end
      end
    end
  end
  return list
end

-- The pieces of a cell: numbers, each as its whole part, its decimals and what follows; nil where it is not a number.
local function pieces(text)
  local found = {}
  text = text:gsub(NO_BREAK, ' ')
  for part in (text .. ' ± '):gmatch '(.-) ± ' do
    local sign, rest = part:gsub('−', '-'):match '^([+-]?)(.*)$'
    local whole, point, decimals, after = rest:match '^([%d,]+)(%.?)(%d*)(%%?)$'
    if not whole then return nil end
    sign = sign:gsub('-', '−')
    found[#found + 1] = { whole = sign .. whole, point = point, decimals = decimals, after = after }
  end
  return found
end

local function widest(column, i, field)
  local most = 0
  for _, cell in pairs(column) do most = math.max(most, utf8.len(cell[i][field])) end
  return most
end

local function padded(column, cell)
  local written = {}
  for i, piece in ipairs(cell) do
    local before = i > 1 and FIGURE_SPACE:rep(widest(column, i, 'whole') - utf8.len(piece.whole)) or ''
    local point = piece.point == '' and widest(column, i, 'point') > 0 and POINT_SPACE or ''
    local after = FIGURE_SPACE:rep(widest(column, i, 'decimals') - #piece.decimals)
    written[i] = before .. piece.whole .. piece.point .. piece.decimals .. piece.after .. point .. after
  end
  return table.concat(written, NO_BREAK .. '±' .. NO_BREAK)
end

local function align_column(el, index)
  local column, n_pieces = {}, nil
  for _, body in ipairs(el.bodies) do
    for _, row in ipairs(body.body) do
      local cell = row.cells[index]
      local text = cell and stringify(cell.contents) or ''
      if cell and text ~= '' and text ~= 'nan' and not text:match '^[–—-]$' then
        column[cell] = pieces(text)
        if not column[cell] or (n_pieces and n_pieces ~= #column[cell]) then return end
        n_pieces = #column[cell]
      end
    end
  end
  if not n_pieces then return end
  el.colspecs[index][1] = 'AlignRight'
  for cell, found in pairs(column) do cell.contents = { pandoc.Plain { pandoc.Str(padded(column, found)) } } end
end

local function align(el)
  for index = 1, #el.colspecs do align_column(el, index) end
  return el
end

return function(doc)
  return doc:walk { Str = number }:walk { Inlines = no_break_at_deviation, Table = align }, {}
end
