-- Figures, and the captions of figures and tables.

local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local typst, quoted = shared.typst, shared.quoted
local figures = {}

function figures.captioned(div)
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

-- ![caption](image){#fig-...}, of Quarto, is a figure.
function figures.of_image(el)
  local image = el.content[1]
  if #el.content ~= 1 or image.t ~= 'Image' or not image.identifier:match '^fig%-' then return nil end
  local id, text = image.identifier, image.caption
  image.identifier, image.caption = '', {}
  return pandoc.Figure({ pandoc.Plain { image } }, { long = { pandoc.Plain(text) } }, { id = id })
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

function figures.table_caption(el)
  if #el.caption.long > 0 then el.caption.long = { pandoc.Plain(with_first_sentence(el.caption.long)) } end
  return el
end

local unnamed = 0
function figures.written(el)
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

return figures
