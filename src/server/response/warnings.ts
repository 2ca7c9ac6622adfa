// `Warning:` headers: escaped, without duplicates, and bounded as upstream bounds them.
// Who warns of what is decided elsewhere.

const totalCharactersMax = 4 * 1024
const itemCharactersMax = 256

/** Header values, `299 - "text"`. Once the total is over its bound every text is cut short. */
export function warningHeaders(warnings: readonly string[]): readonly string[] {
  const texts = [...new Set(warnings)].map(withoutControls).filter((text) => text !== '')
  const total = texts.reduce((sum, text) => sum + [...text].length, 0)
  if (total <= totalCharactersMax) return texts.map(headerOf)
  const headers: string[] = []
  let characters = 0
  for (const text of texts) {
    if (characters >= totalCharactersMax) break
    const cut = [...text].slice(0, itemCharactersMax)
    characters += cut.length
    headers.push(headerOf(cut.join('')))
  }
  return headers
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f]+/g

const withoutControls = (text: string): string => text.replace(controls, ' ').trim()

// Node writes header texts as latin1; UTF-8 goes through when its bytes are handed over as such.
const headerOf = (text: string): string =>
  `299 - "${Buffer.from(text.replace(/["\\]/g, '\\$&'), 'utf8').toString('latin1')}"`
