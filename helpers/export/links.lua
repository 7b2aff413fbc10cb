-- Links within the document, and the places that they lead to.

local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local typst, quoted = shared.typst, shared.quoted
local links = {}

local targets = {} -- what a link can lead to: 'numbered', or another place
local titles, other_names = {}, {} -- of the sections among them

-- A heading is named by its id, an anchor in it, or its words; a link may use the words, and TeX in them, anyway.
function links.anchor_heading(el)
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

-- Notes the places of the document, and the equations that have these labels.
function links.learn_places(doc, labels)
  local function remember(el) targets[el.identifier] = targets[el.identifier] or 'place' end
  local function remember_numbered(el) targets[el.identifier] = 'numbered' end
  doc:walk { Header = remember_numbered, Figure = remember_numbered, Table = remember_numbered }
  doc:walk { Span = remember, Div = remember }
  for label in pairs(labels) do remember { identifier = 'eq-' .. label } end
end

-- The name of the place in this document that a link leads to; nil where it leads out.
local function place_of(target)
  local id = target:match '^#(.+)'
  if not id then return nil end
  for _, name in ipairs { id, shared.decoded(id) } do
    if targets[name] then return name end
    if other_names[name] then return other_names[name] end
  end
  return id
end

-- The filter that writes links, where `problem` tells of those that lead nowhere.
function links.writer(problem, strict)
  return function(el)
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
end

return links
