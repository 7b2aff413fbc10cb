-- What HTML shows and the tree does not say: numbers, code that folds, tables that scroll, the way from a figure to
-- the cell that drew it.

local strict = false -- a report, with numbers
local images = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/images.lua')
local words = { fig = 'Figure', tbl = 'Table' }

local function html(text) return pandoc.RawBlock('html', text) end

local function number_before(el, text)
  el:insert(1, pandoc.Span({ pandoc.Str(text) }, { class = 'number' }))
  el:insert(2, pandoc.Space())
end

local function caption(el, cell)
  local word = words[el.identifier:match '^%a+']
  if not word or #el.caption.long == 0 then return end
  local text = el.caption.long[1].content
  number_before(text, ('%s %s.'):format(word, el.attributes.number))
  text:insert(pandoc.Space())
  text:insert(pandoc.Link('code', '#' .. cell.code, 'The cell that made it', { class = 'to-code' }))
  el.attributes.number = nil
  return true
end

local function filters(cell)
  return {
    Header = function(el)
      if el.attributes.number and strict then number_before(el.content, el.attributes.number) end
      el.attributes.number = nil
      return el
    end,
    Figure = function(el)
      caption(el, cell)
      return el
    end,
    Table = function(el)
      local wide = { html '<div class="wide" role="region" aria-label="Table" tabindex="0">', el, html '</div>' }
      if not caption(el, cell) then return wide end
      local text, id = pandoc.Plain(el.caption.long[1].content), el.identifier
      el.caption.long, el.identifier = {}, ''
      return { html(('<figure class="table" id="%s"><figcaption>'):format(id)), text, html '</figcaption>', wide[1], el,
        wide[3], html '</figure>' }
    end,
    Span = function(el)
      if not el.classes:includes 'equation' then return nil end
      local number = el.attributes.tag and el.attributes.number or ('(%s)'):format(el.attributes.number)
      el.content:insert(pandoc.Span(number, { class = 'number' }))
      el.attributes.number, el.attributes.tag = nil, nil
      return el
    end,
    Image = function(el)
      if el.src:match '^data:' then return nil end
      if el.src:match '^%a[%w+.-]*:' then return images.link(el) end -- nothing is fetched
      if images.outside(el.src) or not pcall(pandoc.mediabag.fetch, el.src) then
        io.stderr:write('[WARNING] the image ' .. el.src:sub(1, 60) .. ' is missing or outside the folder of the notebook\n')
        return el.caption
      end
    end,
    RawInline = function() return {} end, -- markup of a notebook, which could load or run things
    RawBlock = function() return {} end,
  }
end

local function folded(block, cell)
  local open = block.classes:includes 'shown' and ' open' or ''
  local title = ('code of cell %s of %s'):format(cell.index, cell.notebook)
  return { html(('<details class="code" id="%s"%s><summary>%s</summary>'):format(cell.code, open, title)), block,
    html '</details>' }
end

function Pandoc(doc)
  strict = doc.meta.strict ~= nil
  local blocks, cell = pandoc.Blocks {}, { code = 'code' }
  for _, block in ipairs(doc.blocks) do
    local text = block.t == 'RawBlock' and block.text:match '^(.-)%s*$' or ''
    local index, notebook = text:match '^// cell (%S+) of (.*)$'
    if index then
      cell = { index = index, notebook = notebook }
      cell.code = ('code-%s-%s'):format(notebook, index):gsub('[^%w_-]', '-')
    elseif text == '#show: appendix' then
      blocks:insert(pandoc.Header(1, 'Appendix', { id = 'appendix' }))
    elseif text == '#abstract[' then
      blocks:insert(html '<section class="abstract" aria-label="Abstract"><p class="title">Abstract</p>')
    elseif text == ']' then
      blocks:insert(html '</section>')
    elseif block.t == 'CodeBlock' and block.classes:includes 'input' then
      blocks:extend(folded(block, cell))
    elseif block.t ~= 'RawBlock' then
      blocks:extend(pandoc.Blocks({ block }):walk(filters(cell)))
    end
  end
  images.tell()
  doc.blocks = blocks
  return doc
end
