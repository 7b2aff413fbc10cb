-- References as notebooks write them: \ref and \eqref of TeX, roles of MyST, @key of pandoc and Quarto.  They become
-- links and citations, and the equations that they are to get a number.

local citations = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/citations.lua')
local shared = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. '/shared.lua')
local known, problem, strict -- keys of the bibliography, what tells of a mistake, whether it is an error
local labels = {} -- of equations: label -> 'wanted' by a reference or, once an equation has it, 'known'

-- References to equations, in text and as formulas of their own.
local REFERENCE = '\\(e?q?)ref%s*{([^{}]+)}'
local function reference(label, brackets)
  labels[label] = labels[label] or 'wanted'
  local link = pandoc.Link(label, '#eq-' .. label, '', { class = 'eqref' })
  return brackets and pandoc.Inlines { pandoc.Str '(', link, pandoc.Str ')' } or pandoc.Inlines { link }
end

local function references_in(text)
  local out, start = pandoc.Inlines {}, 1
  for from, kind, label, to in text:gmatch('()' .. REFERENCE .. '()') do
    if from > start then out:insert(pandoc.Str(text:sub(start, from - 1))) end
    out:extend(reference(label, kind == 'eq'))
    start = to
  end
  if start <= #text then out:insert(pandoc.Str(text:sub(start))) end
  return out
end

local refer = {
  Str = function(el) return el.text:match(REFERENCE) and references_in(el.text) or nil end,
  Math = function(el)
    if el.text:match('^%s*' .. REFERENCE .. '%s*$') then return references_in(el.text) end
    for _, label in el.text:gmatch(REFERENCE) do labels[label] = labels[label] or 'wanted' end
  end,
  Link = function(el)
    local label = el.target:match '^#mjx%-eqn[-:](.+)$' -- MathJax names its equations so
    if not label then return nil end
    labels[label] = labels[label] or 'wanted'
    el.target = '#eq-' .. label
    return el
  end,
}

local function known_references()
  local function unknown(label, instead)
    return problem('the label ' .. label .. ' that is referred to stands in no equation', instead)
  end
  return {
    Link = function(el)
      if labels[el.target:match '^#eq%-(.+)$'] == 'wanted' then
        return unknown(el.target:sub(5), el.content)
      end
    end,
    Math = function(el)
      local wrong
      el.text = el.text:gsub(REFERENCE, function(kind, label)
        if labels[label] == 'known' then return end
        wrong = unknown(label, el)
        return ('\\text{%s}'):format(kind == 'eq' and '(' .. label .. ')' or label)
      end)
      return wrong or nil
    end,
  }
end

-- An equation that is referred to or tagged has a number; where its rows can have one each, maths.py writes them.
local ROWS = { align = true, eqnarray = true, gather = true, flalign = true }
local function number_equation(el)
  local rows = el.text:find('\\\\', 1, true) and ROWS[el.text:match '^%s*\\begin{(%a+)%*?}']
  local label, star, tag, twice
  el.text = el.text:gsub('%s*\\label%s*{([^{}]*)}', function(name)
    if labels[name] == 'known' then twice = name end
    if labels[name] ~= 'wanted' or (label and not rows) then return '' end
    labels[name], label = 'known', name
    return not rows and '' or nil
  end):gsub('%s*\\tag(%*?)%s*(%b{})', function(stars, braced)
    local read = pandoc.read(braced, 'latex', nil, {})
    star, tag = stars, pandoc.write(read, 'plain'):gsub('%s+$', '')
    return rows and ('\\tag%s{%s}'):format(star, tag) or ''
  end)
  local wrong = twice and problem('the label ' .. twice .. ' stands in more than one equation', el)
    or strict and rows and (label or tag)
      and problem('a row of an equation has a number; here only a whole equation can have one', el)
  if wrong and wrong ~= el then return wrong end
  if rows or not (label or tag) then return el end
  local number = tag and (star == '' and '(' .. tag .. ')' or tag)
  return pandoc.Span({ el }, { id = label and 'eq-' .. label or '', class = 'equation', tag = tag, number = number })
end

-- An anchor eq-... belongs to the display equation after it, and a label in brackets, (x) or {#eq-x}, to the one before.
local function label_equations(list)
  local label
  for i = #list, 2, -1 do -- an equation ends its line anyway
    if list[i].t == 'LineBreak' and list[i - 1].mathtype == 'DisplayMath' then list:remove(i) end
  end
  for i, el in ipairs(list) do
    local after = el.t == 'Math' and list[i + 1] and list[i + 1].t == 'Space' and (list[i + 2] or {}).text or ''
    local named = after:match '^%((.+)%)$' or after:match '^{#eq%-(.+)}$'
    if named and labels[named] == 'wanted' then
      el.text = el.text .. '\\label{' .. named .. '}'
      list:remove(i + 2)
      list:remove(i + 1)
    end
    if el.t == 'Span' and el.identifier:match '^eq%-' then
      label = el
    elseif el.t == 'Math' and el.mathtype == 'DisplayMath' and label then
      el.text = el.text:gsub('%s*\\label%s*%b{}', ''):gsub('%s*\\tag%*?%s*%b{}', '')
      list[i] = pandoc.Span({ el }, { id = label.identifier, class = 'equation' })
      labels[label.identifier:sub(4)] = 'known'
      label.identifier, label = '', nil
    elseif el.t == 'Math' and el.mathtype == 'DisplayMath' then
      list[i] = number_equation(el)
    end
  end
  return list
end

-- MyST's roles, {name}`text`: references, citations, maths.
local roles = { sub = pandoc.Subscript, sup = pandoc.Superscript }
function roles.eq(text) return reference(text, true) end
function roles.math(text) return pandoc.Math('InlineMath', text) end
function roles.ref(text)
  local words, target = text:match '^(.-)%s*<(.+)>$'
  return pandoc.Link(words or text, '#' .. (target or text), '', { class = words and 'worded' or 'named' })
end
roles.numref = roles.ref

function roles.cite(text) return citations.cite(text, 'NormalCitation', text) end
roles['cite:p'] = roles.cite
roles['cite:t'] = function(text) return citations.cite(text, 'AuthorInText', text) end

-- A role of another kind, as {class}`~package.Name` or {doc}`words <file>`, leaves what a reader would see.
local function other_role(text)
  return pandoc.Code(text:match '^(.-)%s*<.+>$' or text:match '^~.*%.([^.]+)$' or text)
end

local function read_roles(list)
  for i = #list, 2, -1 do
    local before, name = (list[i - 1].text or ''):match '^(.*){([%w:]+)}$'
    if list[i].t == 'Code' and list[i - 1].t == 'Str' and name then
      local found = (roles[name] or other_role)(list[i].text)
      list:remove(i)
      list[i - 1] = pandoc.Str(before)
      for k, el in ipairs(pandoc.Inlines(found)) do list:insert(i - 1 + k, el) end
    end
  end
  return list
end

-- A line (name)= names the heading below it.
local function read_names(list)
  for i = #list - 1, 1, -1 do
    local name = list[i].t == 'Para' and pandoc.utils.stringify(list[i]):match '^%(([^%s()]+)%)=$'
    if name and list[i + 1].t == 'Header' then
      list[i + 1].content:insert(1, pandoc.Span({}, { id = name }))
      list:remove(i)
    end
  end
  return list
end

-- @key and [see @key, p. 3], where the key is of a work or, as @fig-map, of what stands in the notebook.
local function read_citations(list)
  local function is_known(text)
    for key in text:gmatch '@([%w_][%w_:.-]*)' do
      key = key:gsub('[:.-]+$', '')
      if known[key] or key:match '^fig%-' or key:match '^tbl%-' or key:match '^eq%-' or key:match '^sec%-' then return true end
    end
    return next(known) and text:match '%[%-?@'
  end
  return shared.rewritten(list, function(all, i)
    if all[i].t ~= 'Str' then return nil end
    local stop = i
    if all[i].text:match '%[' then
      while stop < #all and not (all[stop].text or ''):match '%]' do stop = stop + 1 end
      if not (all[stop].text or ''):match '%]' then stop = i end
    end
    local text = pandoc.utils.stringify { table.unpack(all, i, stop) }
    local read = is_known(text) and pandoc.read(text, 'markdown_strict+citations', nil, {}).blocks or {}
    if #read == 1 and read[1].content then return read[1].content, stop end
  end)
end

local function cross_references(el)
  local links = pandoc.Inlines {}
  for _, citation in ipairs(el.citations) do
    local kind = citation.id:match '^(%a+)%-'
    if known[citation.id] or not ({ fig = true, tbl = true, eq = true, sec = true })[kind] then return nil end
    local label = kind == 'eq' and citation.id:sub(4)
    if label then labels[label] = labels[label] or 'wanted' end
    if #links > 0 then links:extend { pandoc.Str ',', pandoc.Space() } end
    links:insert(pandoc.Link('@' .. citation.id, '#' .. citation.id, '', { class = 'named' }))
  end
  return links
end

local function read_references(doc, bibliography, tell, is_strict)
  known, problem, strict = bibliography, tell, is_strict
  doc = doc:walk { Inlines = function(list) return read_citations(read_roles(list)) end, Blocks = read_names }
  doc = doc:walk { Cite = cross_references }:walk(refer)
  doc = doc:walk { Inlines = label_equations }
  return doc:walk(known_references()), labels
end

return read_references
