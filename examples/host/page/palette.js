/** Colours that are told apart on light and on dark ground. */
const colours = [
  '#4c8df6',
  '#f2a33a',
  '#20b49d',
  '#e8618c',
  '#8f6ff0',
  '#7cb342',
  '#ef7647',
  '#35b3dd',
  '#b58863',
  '#9aa5b8',
]

/** The colour of the room at this place of the list. */
export function colourAt(index) {
  return colours[index % colours.length]
}

/** A colour of the style sheet. */
export function themeColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

/** Colours an element; a rule in the markup would be refused by the content security policy. */
export function paint(node, colour) {
  if (node.style.backgroundColor !== colour) node.style.background = colour
}
