-- Reads the raw blocks of the template (Markdown, HTML, LaTeX), each on its own, and writes as Typst
-- what pandoc's Typst writer does not know: labels, references, citations, captions, alternative text.

local readers = {
  markdown = 'commonmark+footnotes+pipe_tables+raw_html+strikeout+task_lists'
    .. '+tex_math_dollars+autolink_bare_uris+smart+alerts+fenced_divs',
  html = 'html+tex_math_dollars-auto_identifiers',
  latex = 'latex',
}
local strict = false
local unread = {} -- the names of others that are not shown, by why
local targets = {}
local titles, other_names = {}, {} -- of the sections among them
local images = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/images.lua')
local read_references, cite = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/references.lua')

local function typst(text) return pandoc.RawInline('typst', text) end
local function quoted(text)
  return '"' .. text:gsub('[\\"]', '\\%0'):gsub('%s+', ' ') .. '"'
end

-- An error that names its cell, or, in a foreign notebook, a warning and what to show instead.
local told = {}
local function problem(text, instead)
  if strict then return typst('#panic(' .. quoted(text) .. ')') end
  if not told[text] then io.stderr:write('[WARNING] ' .. text .. '\n') end
  told[text] = true
  return instead
end

-- The same for an image; a warning names all that are not shown for one reason.
local function not_shown(el, why)
  local name = el.src:sub(1, 60)
  if strict then return problem('the image ' .. name .. ' is ' .. why, el.caption) end
  unread[why] = unread[why] or pandoc.List {}
  if not unread[why]:includes(name) then unread[why]:insert(name) end
  return el.caption
end

-- What these inlines say, with the quotes that were written.
local function written(list, start, stop)
  local text = pandoc.utils.stringify(pandoc.Inlines { table.unpack(list, start, stop) })
  return (text:gsub('\u{201c}', '"'):gsub('\u{201d}', '"'))
end

local function rows_of(el)
  local rows = el.head.rows .. el.foot.rows
  for _, body in ipairs(el.bodies) do rows = rows .. body.head .. body.body end
  return rows
end

-- What pandoc would take for Typst is not for a notebook to say.
local function without_typst(el)
  local parts = pandoc.List { el }
  if el.t == 'Table' then
    parts:extend { el.head, el.foot }
    parts:extend(el.bodies)
    for _, row in ipairs(rows_of(el)) do parts:extend(pandoc.List { row } .. row.cells) end
  end
  for _, part in ipairs(parts) do
    local names = pandoc.List {}
    for name in pairs(part.attributes or {}) do names:insert(name) end
    for _, name in ipairs(names) do
      if name:match '^typst:' then part.attributes[name] = nil end
    end
  end
  return el
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
local function html_table(el)
  if #el.colspecs == 0 then return {} end
  el.foot.rows = el.foot.rows:filter(function(row)
    return row.cells:find_if(function(cell) return pandoc.utils.stringify(cell.contents) ~= '' end)
  end)
  for _, column in ipairs(el.colspecs) do
    if column[1] == 'AlignDefault' then column[1] = 'AlignRight' end
    if column[2] and math.abs(column[2] * #el.colspecs - 1) < 0.01 then column[2] = nil end
  end
  for _, row in ipairs(rows_of(el)) do
    local left = #el.colspecs
    for _, cell in ipairs(row.cells) do
      colour(cell)
      cell.col_span = math.max(1, math.min(cell.col_span, left))
      left = left - cell.col_span
    end
  end
  return el
end

local function expand(block)
  local reader = readers[block.format]
  if not reader then return nil end
  local blocks = pandoc.read(block.text, reader, nil, {}).blocks
  blocks = blocks:walk { RawBlock = expand, Block = without_typst, Inline = without_typst }
  if block.format ~= 'html' then return blocks end
  local function flat(div) return not div.classes:includes 'alert' and div.content or nil end
  return blocks:walk { Table = html_table, Div = flat }
end

-- HTML in running text: <sub>, <cite data-cite="...">, <a id="...">, ...
local function attribute(tag, name) return tag:match('%s' .. name .. '%s*=%s*["\']([^"\']*)') end
local elements = {
  sub = pandoc.Subscript, sup = pandoc.Superscript, u = pandoc.Underline, s = pandoc.Strikeout,
  b = pandoc.Strong, strong = pandoc.Strong, i = pandoc.Emph, em = pandoc.Emph,
}
function elements.cite(content, tag)
  local mode = pandoc.utils.stringify(content):match '^%(' and 'NormalCitation' or 'AuthorInText'
  return cite(attribute(tag, 'data%-cite') or '', mode, content)
end
function elements.a(content, tag)
  local href = attribute(tag, 'href')
  if href then return pandoc.Link(content, href) end
  return pandoc.Span(content, { id = attribute(tag, 'id') or attribute(tag, 'name') })
end

local function closing(list, start, name)
  for i = start + 1, #list do
    if list[i].t == 'RawInline' and list[i].text:lower() == '</' .. name .. '>' then return i end
  end
end

local function html_elements(list)
  local out, i = pandoc.Inlines {}, 1
  while i <= #list do
    local tag = list[i].t == 'RawInline' and list[i].format == 'html' and list[i].text or ''
    local name = (tag:match '^<(%w+)' or ''):lower()
    local stop = elements[name] and closing(list, i, name)
    if stop then
      local inner = html_elements(pandoc.Inlines { table.unpack(list, i + 1, stop - 1) })
      out:insert(elements[name](inner, tag))
      i = stop
    elseif name == 'img' or name == 'br' then
      out:extend(pandoc.utils.blocks_to_inlines(pandoc.read(tag, 'html', nil, {}).blocks))
      if name == 'br' then out:insert(pandoc.LineBreak()) end
    elseif name == 'li' and FORMAT == 'typst' then -- of a list in a cell of a table
      if pandoc.utils.stringify(out) ~= '' then out:insert(pandoc.LineBreak()) end
      out:insert(pandoc.Str '• ')
    else
      out:insert(list[i])
    end
    i = i + 1
  end
  return out
end

-- What stands in braces at the end of a heading, as Quarto has it: {#sec-one .unnumbered}.
local function heading_attributes(el)
  local start = #el.content
  while start > 1 and not (el.content[start].text or ''):match '^{' do start = start - 1 end
  if start < 2 then return nil end
  local read = pandoc.read('# x ' .. written(el.content, start), 'commonmark+attributes').blocks[1]
  if read.t ~= 'Header' or #read.content > 1 then return nil end
  for _ = start - 1, #el.content do el.content:remove() end
  el.identifier = read.identifier ~= '' and read.identifier or el.identifier
  return el
end

-- A heading is named by its id, an anchor in it, or its words; a link may use the words, and TeX in them, anyway.
local function anchor_heading(el)
  local words = pandoc.utils.stringify(el.content):gsub('%s+$', ''):gsub(' ', '-')
  local tex = el.content:walk { Math = function(math) return pandoc.Str('$' .. math.text .. '$') end }
  if el.identifier == '' then el.identifier = words end
  el.content = el.content:walk {
    Span = function(span)
      if span.identifier ~= '' then
        el.identifier = span.identifier
        return span.content
      end
    end,
  }
  if targets[el.identifier] then el.identifier = '' end
  targets[el.identifier] = true
  titles[el.identifier] = el.content
  for _, other in ipairs { words, (pandoc.utils.stringify(tex):gsub('%s+$', ''):gsub(' ', '-')) } do
    other_names[other] = other_names[other] or el.identifier
  end
  return el
end


-- The name of the place in this document that a link leads to; nil where it leads out.
local function place_of(target)
  local id = target:match '^#(.+)'
  if not id then return nil end
  for _, name in ipairs { id, images.decoded(id) } do
    if targets[name] then return name end
    if other_names[name] then return other_names[name] end
  end
  return id
end

-- The caption as style.typ takes it: its first sentence, or what stands before a colon in it, for the lists of figures
-- and tables, and all of it.
local function with_first_sentence(blocks)
  local long = pandoc.utils.blocks_to_inlines(blocks)
  local short = pandoc.Inlines {}
  for i, el in ipairs(long) do
    local ends = el.t == 'Str' and el.text:match '[.:]$' and (long[i + 1] or {}).t
    local last = ends == 'Space' or ends == 'SoftBreak'
    short:insert(last and pandoc.Str((el.text:gsub(':$', '.'))) or el)
    if last then break end
  end
  return pandoc.Inlines { typst '#caption-text[' } .. short .. pandoc.Inlines { typst '][' } .. long
    .. pandoc.Inlines { typst ']' }
end

local function caption(div)
  local last = div.content[#div.content]
  if not div.classes:includes 'captioned' or div.identifier == '' or not last or last.t ~= 'Div' then return end
  div.content:remove()
  local text = pandoc.Blocks { pandoc.Plain(pandoc.utils.blocks_to_inlines(last.content, { pandoc.Space() })) }
  if div.identifier:match '^tbl%-' then
    return div.content:walk {
      Table = function(el)
        el.caption.long, el.identifier = text, div.identifier
        return el
      end,
    }
  end
  return pandoc.Figure(div.content, { long = text }, { id = div.identifier })
end

local unnamed = 0
local function figure(el)
  if el.identifier == '' and #el.caption.long == 0 then return el.content end
  if el.identifier == '' then -- of HTML
    unnamed = unnamed + 1
    el.identifier = 'fig-unnamed-' .. unnamed
  end
  local open = typst('#figure(kind: image, caption: [')
  local body = pandoc.Blocks { pandoc.Plain(pandoc.Inlines { open } .. with_first_sentence(el.caption.long)
    .. pandoc.Inlines { typst('])[#anchor(' .. quoted('at-' .. el.identifier) .. ')') }) }
  body:extend(el.content)
  body:insert(pandoc.RawBlock('typst', ']#label(' .. quoted(el.identifier) .. ')'))
  return body
end

-- Maths is written by maths.py, which finds it by this; the semicolon keeps what follows out of it.
local function maths(el)
  local block = el.mathtype == 'DisplayMath'
  local rows = block and (el.text:match '\\label%s*{' or el.text:match '\\tag%*?%s*{')
  return typst(('#maths(%s, block: %s)[];'):format(quoted(el.text), rows and 'rows' or block))
end

-- Typst would read what follows a call, as in #strong[x].ipynb, as a part of it.
local calls = {
  Strong = true, Emph = true, Subscript = true, Superscript = true, Underline = true, Strikeout = true, Link = true,
}
local function end_calls(list)
  for i = #list - 1, 1, -1 do
    local ours = list[i].t == 'Link' and not list[i].target:match '^%a[%w+.-]*:'
    if calls[list[i].t] and not ours and list[i + 1].t == 'Str' and list[i + 1].text:match '^[.(%[]' then
      list:insert(i + 1, typst ';')
    end
  end
  return list
end

local function span(el)
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

local function link(el)
  if el.target:match '^%a[%w+.-]*:' then return nil end
  local id = place_of(el.target)
  if el.classes:includes 'eqref' then return typst('#eqref(' .. quoted(id) .. ');') end
  local ours = id and id:match '^%a+%-' and ('fig- tbl- eq-'):find(id:match '^%a+%-', 1, true)
  local named, worded = el.classes:includes 'named', el.classes:includes 'worded'
  if (named or worded) and not targets[id] then
    return problem('the name ' .. id .. ' that is referred to stands nowhere', el.content)
  end
  if not id or not (targets[id] or strict) then return el.content end
  local numbered = targets[id] == 'numbered' or id:match '^eq%-'
  if named and titles[id] and not strict then
    el.content = titles[id]
  elseif named and numbered then
    return typst('#ref(label(' .. quoted(id) .. '));')
  end
  local word = pandoc.utils.stringify(el.content):match '^(.-)%s+[%dA-Z.]+$'
  if word and numbered and (strict or ours) then
    return typst('#ref(label(' .. quoted(id) .. '), supplement: [' .. word .. ']);')
  end
  el.content:insert(1, typst('#link(label(' .. quoted(id) .. '))['))
  el.content:insert(typst '];')
  return el.content
end

local signatures = {
  ['^\137PNG'] = '.png', ['^\255\216\255'] = '.jpg', ['^GIF8'] = '.gif', ['^RIFF....WEBP'] = '.webp',
  ['^%s*<%?xml'] = '.svg', ['^%s*<!DOCTYPE svg'] = '.svg', ['^%s*<svg'] = '.svg',
}
local function extension_of(data)
  for signature, extension in pairs(signatures) do if data:match(signature) then return extension end end
end
-- A length of HTML or Markdown in Typst.
local function length(text)
  local number, unit = text:match '^%s*([%d.]+)%s*(%a*%%?)%s*$'
  if not tonumber(number) then return 'auto' end
  if unit == '' or unit == 'px' then return tonumber(number) * 0.75 .. 'pt' end
  return ('% pt cm mm in em '):find(unit .. ' ', 1, true) and tonumber(number) .. unit or 'auto'
end

local function size(el, name)
  local style = el.attributes.style or ''
  return length(style:match('%f[%w-]' .. name .. '%s*:%s*([^;]+)') or el.attributes[name] or '')
end

local function image(el)
  if el.src:match '^https?:' then
    return images.link(el)
  end
  if images.outside(el.src) then
    return not_shown(el, 'outside the folder of the notebook')
  end
  local found, _, data = pcall(pandoc.mediabag.fetch, el.src)
  local extension = found and data and extension_of(data)
  if not extension then
    return not_shown(el, 'missing or of an unknown type')
  end
  local name = pandoc.utils.sha1(data) .. extension
  local file = assert(io.open(name, 'wb'))
  file:write(data)
  file:close()
  local alt = el.attributes['fig-alt'] or pandoc.utils.stringify(el.caption)
  if alt == '' then alt = el.title ~= '' and el.title or 'No description of this image.' end
  local shape = el.classes:includes 'in-line' and 'picture-in-line' or 'picture'
  return typst(('#%s(%s, alt: %s, width: %s, height: %s);'):format(
    shape, quoted(name), quoted(alt), size(el, 'width'), size(el, 'height')))
end

-- A formula that is a paragraph and in the style of display, as of SymPy, is one, and made to fit.
local function alone(el)
  local math = el.content[1]
  if #el.content == 1 and math.t == 'Math' and math.text:match '^%s*\\displaystyle' then
    math.mathtype = 'DisplayMath'
    math.text = math.text:gsub('^%s*\\displaystyle%f[%A]%s*', '')
    el.content[1] = math
    return el
  end
end

-- Images on the web are words, which stand apart from others and from words beside them.
local function images_apart(list)
  local function is_image(el) return el.t == 'Image' or el.t == 'Link' and #el.content == 1 and el.content[1].t == 'Image' end
  local function is_word(el) return el.t == 'Str' and el.text:match '^%w' end
  for i = #list - 1, 1, -1 do
    local remote = list[i].t == 'Image' and list[i].src:match '^https?:'
    if is_image(list[i]) and is_image(list[i + 1]) or remote and is_word(list[i + 1]) then
      list:insert(i + 1, pandoc.Space())
    end
  end
  return list
end

-- An image with something beside it stays in the line, of which the rest is not stretched.
local function images_in_line(el)
  local n_pieces = 0
  for _, piece in ipairs(el.content) do
    if piece.t ~= 'Space' and piece.t ~= 'SoftBreak' then n_pieces = n_pieces + 1 end
  end
  if n_pieces < 2 then return nil end
  local found = false
  el = el:walk { Image = function(image)
    image.classes:insert 'in-line'
    found = true
    return image
  end }
  if found then
    el.content:insert(1, typst '#[#set par(justify: false);')
    el.content:insert(typst ']')
  end
  return el
end

-- What stands in braces after an image or a link in Markdown: {width=50%}.
local function attributes(list)
  for i, el in ipairs(list) do
    if (el.t == 'Image' or el.t == 'Link') and list[i + 1] and (list[i + 1].text or ''):match '^{' then
      local stop = i + 1
      while stop < #list and not written(list, i + 1, stop):match '}' do stop = stop + 1 end
      local text = written(list, i + 1, stop)
      local braces, rest = text:match '^(%b{})(.*)$'
      local read = pandoc.read('![](x)' .. (braces or ''), 'commonmark+attributes').blocks[1].content
      if braces and #read == 1 then
        if el.t == 'Image' then el.attr = read[1].attr end
        for _ = i + 1, stop do list:remove(i + 1) end
        if rest ~= '' then list:insert(i + 1, pandoc.Str(rest)) end
      end
    end
  end
  return list
end

-- ![caption](image){#fig-...}, of Quarto, is a figure.
local function image_as_figure(el)
  local image = el.content[1]
  if #el.content ~= 1 or image.t ~= 'Image' or not image.identifier:match '^fig%-' then return nil end
  local id, text = image.identifier, image.caption
  image.identifier, image.caption = '', {}
  return pandoc.Figure({ pandoc.Plain { image } }, { long = { pandoc.Plain(text) } }, { id = id })
end

-- Tasks have their box for a bullet.
local function task_list(el)
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
  for _, row in ipairs(rows_of(el)) do measure(row) end
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
local function table_size(el)
  if #el.caption.long > 0 then el.caption.long = { pandoc.Plain(with_first_sentence(el.caption.long)) } end
  local n_rows, long = 0, false
  for _, body in ipairs(el.bodies) do n_rows = n_rows + #body.body end
  for _, row in ipairs(rows_of(el)) do
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

-- The keys of a bibliography, as a set.
local function works(bibliography)
  local found, all = {}, pandoc.Cite({}, { pandoc.Citation('*', 'NormalCitation') })
  local doc = pandoc.Pandoc({}, { bibliography = bibliography, nocite = pandoc.Inlines { all } })
  for _, work in ipairs(bibliography and pandoc.utils.references(doc) or {}) do found[work.id] = true end
  return found
end

-- Citations by pandoc's own processor, for every output in one style, and the list of what was cited.
local function cite_references(doc, known)
  doc = doc:walk {
    Cite = function(el)
      for _, citation in ipairs(el.citations) do
        if doc.meta.bibliography and not known[citation.id] then
          return problem('the citation key ' .. citation.id .. ' is not in the bibliography', el.content)
        end
      end
      if not doc.meta.bibliography then return el.content end
    end,
  }
  local cited = false
  doc:walk { Cite = function() cited = true end }
  if cited then
    doc.meta['link-citations'] = true
    doc.blocks:insert(pandoc.Header(1, 'Bibliography', { id = 'bibliography', class = 'unnumbered' }))
    doc = pandoc.utils.citeproc(doc)
  end
  return doc:walk { Cite = function(el) return el.content end }
end

-- Boxes, of GitHub, MyST and Quarto by their classes.
local BOXES = {}
for name in ('note tip hint important warning caution attention danger error seealso admonition alert'):gmatch '%a+' do
  BOXES[name] = true
end

local function div(el)
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

-- What the caller adds to the tree before it is written: files that return a function of the document, and of one that
-- decodes links, which returns the document with a list of what is wrong.
local function add_passes(doc)
  local wrong = pandoc.List {}
  local passes = doc.meta.passes or {}
  for _, file in ipairs(pandoc.utils.type(passes) == 'string' and { passes } or passes) do -- one is no list
    local found
    doc, found = dofile(pandoc.utils.stringify(file))(doc, images.decoded)
    wrong:extend(found)
  end
  if #wrong > 0 then
    io.stderr:write(table.concat(wrong, '\n'), '\n')
    os.exit(1)
  end
  return doc
end

function Pandoc(doc)
  strict = doc.meta.strict ~= nil
  doc = doc:walk { RawBlock = expand }
  local known = works(doc.meta.bibliography)
  doc = doc:walk { Inlines = function(list) return attributes(html_elements(list)) end }
  local labels
  doc = doc:walk { Header = heading_attributes }
  doc, labels = read_references(doc, known, problem, strict)
  doc = doc:walk { Header = anchor_heading, Div = caption, Para = image_as_figure }
  doc = cite_references(add_passes(doc), known)
  doc = doc:walk { Div = function(div) if div.classes:includes 'output' then return div.content end end }
  doc = doc:walk { Inlines = images_apart }
  if FORMAT ~= 'typst' then return doc end
  local function remember(el) targets[el.identifier] = targets[el.identifier] or 'place' end
  local function remember_numbered(el) targets[el.identifier] = 'numbered' end
  doc:walk { Header = remember_numbered, Figure = remember_numbered, Table = remember_numbered }
  doc:walk { Span = remember, Div = remember }
  for label in pairs(labels) do remember { identifier = 'eq-' .. label } end
  doc = doc:walk { Para = images_in_line, Plain = images_in_line, BulletList = task_list }
  doc = doc:walk { Table = table_size, Figure = figure, Div = div }
  doc = doc:walk { Para = alone }:walk { Inlines = end_calls }
  doc = doc:walk { Math = maths, Span = span, Link = link, Image = image }
  images.tell()
  for why, names in pairs(unread) do
    local rest = #names > 3 and (' and %d more'):format(#names - 3) or ''
    io.stderr:write(('[WARNING] images %s are not shown: %s%s\n'):format(why, table.concat(names, ', ', 1, math.min(3, #names)), rest))
  end
  return doc
end
