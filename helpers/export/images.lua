-- Which images of a notebook may be read: for the PDF and for the page.

local images = {}

function images.decoded(text)
  return (text:gsub('%%(%x%x)', function(code) return string.char(tonumber(code, 16)) end))
end

-- Whether a source names a file that may lie outside the folder of the notebook.
function images.outside(src)
  local path = images.decoded(src)
  return path:match '^[/\\~]' or path:match '^%a:' and not path:match '^data:' or ('/' .. path .. '/'):match '[/\\]%.%.[/\\]'
end

return images
