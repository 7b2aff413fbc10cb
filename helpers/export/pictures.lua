-- Images as the PDF has them: files that Typst reads, of the size that a notebook gives them.

local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local images = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/images.lua')
local pictures = {}
local unread = {} -- the names of images that are not shown, by why

-- Images on the web are words, which stand apart from others and from words beside them.
function pictures.apart(list)
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
function pictures.in_line(el)
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
    el.content:insert(1, shared.typst '#[#set par(justify: false);')
    el.content:insert(shared.typst ']')
  end
  return el
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

-- An image as Typst shows it, or nil and why it is not shown.
local function written(el)
  if images.outside(el.src) then return nil, 'outside the folder of the notebook' end
  local found, _, data = pcall(pandoc.mediabag.fetch, el.src)
  local extension = found and data and extension_of(data)
  if not extension then return nil, 'missing or of an unknown type' end
  local name = pandoc.utils.sha1(data) .. extension
  local file = assert(io.open(name, 'wb'))
  file:write(data)
  file:close()
  local alt = el.attributes['fig-alt'] or pandoc.utils.stringify(el.caption)
  if alt == '' then alt = el.title ~= '' and el.title or 'No description of this image.' end
  local shape = el.classes:includes 'in-line' and 'picture-in-line' or 'picture'
  return shared.typst(('#%s(%s, alt: %s, width: %s, height: %s);'):format(
    shape, shared.quoted(name), shared.quoted(alt), size(el, 'width'), size(el, 'height')))
end

-- The filter that writes images; what is not shown, `problem` tells of a strict document, and `tell` of another.
function pictures.writer(problem, strict)
  return function(el)
    if el.src:match '^https?:' then return images.link(el) end
    local shown, why = written(el)
    if shown then return shown end
    local name = el.src:sub(1, 60)
    if strict then return problem('the image ' .. name .. ' is ' .. why, el.caption) end
    unread[why] = unread[why] or pandoc.List {}
    if not unread[why]:includes(name) then unread[why]:insert(name) end
    return el.caption
  end
end

-- Warns of the images that are links, and of those that are not shown, all that are so for one reason at once.
function pictures.tell()
  images.tell()
  for why, names in pairs(unread) do
    local rest = #names > 3 and (' and %d more'):format(#names - 3) or ''
    local shown = table.concat(names, ', ', 1, math.min(3, #names))
    io.stderr:write(('[WARNING] images %s are not shown: %s%s\n'):format(why, shown, rest))
  end
end

return pictures
