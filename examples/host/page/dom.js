/**
 * Makes an element. Everything that is not a node becomes text: what devices say can never become markup.
 * @param {string} name
 * @param {Record<string, unknown>} attributes `onclick` and the like are functions; null and undefined leave one out.
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value)
    else setAttribute(node, key, value)
  }
  node.append(...children.filter((child) => child !== null && child !== undefined).map(asNode))
  return node
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name)
  else node.setAttribute(name, value === true ? '' : String(value))
}

/** Sets a text only where it is another one, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

export function byId(id) {
  return document.getElementById(id)
}

/** Keeps the children of an element in step with a list: nodes stay as long as their item does. */
export class KeyedList {
  #parent
  #keyOf
  #create
  #known = new Map()

  /** @param create Gives `{ node, update(item) }` for an item. */
  constructor(parent, keyOf, create) {
    this.#parent = parent
    this.#keyOf = keyOf
    this.#create = create
  }

  sync(items) {
    const gone = new Set(this.#known.keys())
    let before = this.#parent.firstElementChild
    for (const item of items) {
      const key = this.#keyOf(item)
      gone.delete(key)
      const view = this.#known.get(key) ?? this.#create(item)
      this.#known.set(key, view)
      view.update(item)
      if (view.node === before) before = before.nextElementSibling
      else this.#parent.insertBefore(view.node, before)
    }
    for (const key of gone) {
      this.#known.get(key).node.remove()
      this.#known.delete(key)
    }
  }
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child))
}
