-- Works: which there are, where they are cited, and the list of those that are.

local citations = {}

-- The citation of works by their keys, "one, two", and what stands for it where there is no bibliography.
function citations.cite(keys, mode, instead)
  local found = pandoc.List {}
  for key in keys:gmatch '[^,%s]+' do found:insert(pandoc.Citation(key, mode)) end
  return pandoc.Cite(instead, found)
end

-- The keys of a bibliography, as a set.
function citations.works(bibliography)
  local found, all = {}, pandoc.Cite({}, { pandoc.Citation('*', 'NormalCitation') })
  local doc = pandoc.Pandoc({}, { bibliography = bibliography, nocite = pandoc.Inlines { all } })
  for _, work in ipairs(bibliography and pandoc.utils.references(doc) or {}) do found[work.id] = true end
  return found
end

-- Citations by pandoc's own processor, for every output in one style, and the list of what was cited.
function citations.resolved(doc, known, problem)
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

return citations
