-- Reads the raw blocks of the template (Markdown, HTML, LaTeX), each on its own, and has the other files name, cite and
-- write what pandoc does not know.  Read it from its end, where the passes stand in their order.

local function load(name) return dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/' .. name .. '.lua') end
local shared, tables, markup, citations = load 'shared', load 'tables', load 'markup', load 'citations'
local figures, links, pictures, writing = load 'figures', load 'links', load 'pictures', load 'writing'
local read_references = load 'references'

local readers = {
  markdown = 'commonmark+footnotes+pipe_tables+raw_html+strikeout+task_lists'
    .. '+tex_math_dollars+autolink_bare_uris+smart+alerts+fenced_divs',
  html = 'html+tex_math_dollars-auto_identifiers',
  latex = 'latex',
}

-- What pandoc would take for Typst is not for a notebook to say.
local function without_typst(el)
  local parts = pandoc.List { el }
  if el.t == 'Table' then
    parts:extend { el.head, el.foot }
    parts:extend(el.bodies)
    for _, row in ipairs(tables.rows_of(el)) do parts:extend(pandoc.List { row } .. row.cells) end
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

local function expand(block)
  local reader = readers[block.format]
  if not reader then return nil end
  local blocks = pandoc.read(block.text, reader, nil, {}).blocks
  blocks = blocks:walk { RawBlock = expand, Block = without_typst, Inline = without_typst }
  if block.format ~= 'html' then return blocks end
  local function flat(div) return not div.classes:includes 'alert' and div.content or nil end
  return blocks:walk { Table = tables.html_table, Div = flat }
end

-- What the caller adds to the tree before it is written: files that return a function of the document, and of one that
-- decodes links, which returns the document with a list of what is wrong.
local function add_passes(doc)
  local wrong = pandoc.List {}
  local passes = doc.meta.passes or {}
  for _, file in ipairs(pandoc.utils.type(passes) == 'string' and { passes } or passes) do -- one is no list
    local found
    doc, found = dofile(pandoc.utils.stringify(file))(doc, shared.decoded)
    wrong:extend(found)
  end
  if #wrong > 0 then
    io.stderr:write(table.concat(wrong, '\n'), '\n')
    os.exit(1)
  end
  return doc
end

function Pandoc(doc)
  local strict = doc.meta.strict ~= nil
  local problem = shared.teller(strict)
  doc = doc:walk { RawBlock = expand }
  local works = citations.works(doc.meta.bibliography)
  doc = doc:walk { Inlines = function(list) return markup.attributes(markup.html_elements(list)) end }
  doc = doc:walk { Header = markup.heading_attributes }
  local labels
  doc, labels = read_references(doc, works, problem, strict)
  doc = doc:walk { Header = links.anchor_heading, Div = figures.captioned, Para = figures.of_image }
  doc = citations.resolved(add_passes(doc), works, problem)
  doc = doc:walk { Div = function(div) if div.classes:includes 'output' then return div.content end end }
  doc = doc:walk { Inlines = pictures.apart }
  if FORMAT ~= 'typst' then return doc end
  links.learn_places(doc, labels)
  doc = doc:walk { Para = pictures.in_line, Plain = pictures.in_line, BulletList = writing.task_list }
  local function write_table(el) return tables.sized(figures.table_caption(el)) end
  doc = doc:walk { Table = write_table, Figure = figures.written, Div = writing.div }
  doc = doc:walk { Para = writing.alone }:walk { Inlines = writing.end_calls }
  doc = doc:walk {
    Math = writing.maths, Span = writing.span,
    Link = links.writer(problem, strict), Image = pictures.writer(problem, strict),
  }
  pictures.tell()
  return doc
end
