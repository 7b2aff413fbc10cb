-- Which images of a notebook may be read: for the PDF and for the page.

local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local images = {}

-- Whether a source names a file that may lie outside the folder of the notebook.
function images.outside(src)
  local path = shared.decoded(src)
  return path:match '^[/\\~]' or path:match '^%a:' and not path:match '^data:' or ('/' .. path .. '/'):match '[/\\]%.%.[/\\]'
end

-- What is printed instead of an image on the web: its alternative text, its name or, of a badge, where it is from.
local function name_of(el)
  if #el.caption > 0 then return el.caption end
  local host, path = el.src:match '^https?://([^/?#]+)([^?#]*)'
  local name = shared.decoded(path or ''):match '[^/]+$' or ''
  local drawn = el.src:match '%.svg%?' -- by a service, from words in the query
  return not drawn and name:match '%.%a+$' and name or host or el.src
end

local remote = 0 -- images on the web, which are not fetched

-- The link that stands for an image on the web.
function images.link(el)
  remote = remote + 1
  return pandoc.Link(name_of(el), el.src)
end

-- Warns of the images that are links.
function images.tell()
  if remote > 0 then
    io.stderr:write(('[WARNING] %d image%s on the web and %s printed as %s\n'):format(remote, remote == 1 and ' lies' or 's lie',
      remote == 1 and 'is' or 'are', remote == 1 and 'a link' or 'links'))
  end
end

return images
