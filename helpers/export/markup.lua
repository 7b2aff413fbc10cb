-- What the reader of Markdown leaves as it was written: HTML in running text, and attributes in braces.

local citations = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/citations.lua')
local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local markup = {}

-- HTML in running text: <sub>, <cite data-cite="...">, <a id="...">, ...
local function attribute(tag, name) return tag:match('%s' .. name .. '%s*=%s*["\']([^"\']*)') end
local elements = {
  sub = pandoc.Subscript, sup = pandoc.Superscript, u = pandoc.Underline, s = pandoc.Strikeout,
  b = pandoc.Strong, strong = pandoc.Strong, i = pandoc.Emph, em = pandoc.Emph,
}
function elements.cite(content, tag)
  local mode = pandoc.utils.stringify(content):match '^%(' and 'NormalCitation' or 'AuthorInText'
  return citations.cite(attribute(tag, 'data%-cite') or '', mode, content)
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

function markup.html_elements(list)
  return shared.rewritten(list, function(all, i, out)
    local tag = all[i].t == 'RawInline' and all[i].format == 'html' and all[i].text or ''
    local name = (tag:match '^<(%w+)' or ''):lower()
    local stop = elements[name] and closing(all, i, name)
    if stop then
      return elements[name](markup.html_elements(pandoc.Inlines { table.unpack(all, i + 1, stop - 1) }), tag), stop
    elseif name == 'img' or name == 'br' then
      local read = pandoc.utils.blocks_to_inlines(pandoc.read(tag, 'html', nil, {}).blocks)
      if name == 'br' then read:insert(pandoc.LineBreak()) end
      return read
    elseif name == 'li' and FORMAT == 'typst' then -- of a list in a cell of a table
      local before = pandoc.utils.stringify(out) ~= '' and { pandoc.LineBreak() } or {}
      return pandoc.Inlines(before) .. { pandoc.Str '• ' }
    end
  end)
end

-- What these inlines say, with the quotes that were written.
local function written(list, start, stop)
  local text = pandoc.utils.stringify(pandoc.Inlines { table.unpack(list, start, stop) })
  return (text:gsub('\u{201c}', '"'):gsub('\u{201d}', '"'))
end

-- What stands in braces at the end of a heading, as Quarto has it: {#sec-one .unnumbered}.
function markup.heading_attributes(el)
  local start = #el.content
  while start > 1 and not (el.content[start].text or ''):match '^{' do start = start - 1 end
  if start < 2 then return nil end
  local read = pandoc.read('# x ' .. written(el.content, start), 'commonmark+attributes').blocks[1]
  if read.t ~= 'Header' or #read.content > 1 then return nil end
  for _ = start - 1, #el.content do el.content:remove() end
  el.identifier = read.identifier ~= '' and read.identifier or el.identifier
  return el
end

-- What stands in braces after an image or a link in Markdown: {width=50%}.
function markup.attributes(list)
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

return markup
