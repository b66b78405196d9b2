import { type Node, parseExpressionAt } from 'acorn'
import { DatabaseError } from '../../core/errors.js'
import { bindingNames, isNode, type SyntaxNode } from './binding-names.js'

/** What builds put in place of an imported name: `import_x.name`, `x_1.name`, `__vi_import_0__.name`. */
const importNamespace = /^(import_.+|.+_\d+|__vi\w*_import_\d+__)$/
/** Wraps functions that a build keeps the names of. */
const nameKeeper = '__name'
/** Members of a syntax node that say where it is or how it is written, and not what it is. */
const unread = new Set(['type', 'start', 'end', 'loc', 'range', 'raw', 'sourceType'])

/**
 * The function as a text that formatting, comments, types and the build do not change: its syntax tree, with local variables
 * numbered and without what is only a way of writing. It still changes with everything that the function does, and with the
 * names of what it uses from outside; minified code is another text.
 * @throws DatabaseError `CONFIGURATION` for a function whose source cannot be read, such as a bound one.
 */
export function canonicalFunction(work: (...given: never[]) => unknown): string {
  const tree = parse(String(work))
  return JSON.stringify(new Writer(bindingNames(tree)).write(tree))
}

/** The text may be a function, an arrow, or a method of an object. */
function parse(text: string): SyntaxNode {
  for (const source of [`(${text})`, `({${text}})`]) {
    const tree = tryToParse(source)
    if (tree !== undefined) return tree.type === 'ObjectExpression' ? methodOf(tree) : tree
  }
  throw new DatabaseError(
    'CONFIGURATION',
    'The source of a function of the migration cannot be read: give the function itself, neither bound nor native',
  )
}

function tryToParse(source: string): SyntaxNode | undefined {
  try {
    return asSyntax(parseExpressionAt(source, 0, { ecmaVersion: 'latest', allowAwaitOutsideFunction: true }))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function asSyntax(node: Node): SyntaxNode {
  return node as Node & Record<string, unknown>
}

function methodOf({ properties }: SyntaxNode): SyntaxNode {
  const [method] = properties as SyntaxNode[]
  return method?.value as SyntaxNode
}

/** Writes a syntax tree as nested arrays. */
class Writer {
  readonly #locals: ReadonlySet<string>
  readonly #numbers = new Map<string, number>()

  constructor(locals: ReadonlySet<string>) {
    this.#locals = locals
  }

  write(value: unknown): unknown {
    if (Array.isArray(value)) return value.filter((item) => !isEmptyStatement(item)).map((item) => this.write(item))
    if (typeof value === 'bigint') return `${value}n`
    return isNode(value) ? this.#node(value) : value
  }

  #node(node: SyntaxNode): unknown {
    switch (node.type) {
      case 'Identifier':
        return this.#identifier(node.name as string)
      case 'Literal':
        return literal(node)
      case 'TemplateElement':
        return (node.value as { cooked: unknown }).cooked
      case 'TemplateLiteral':
        return this.#template(node)
      case 'Property':
      case 'PropertyDefinition':
      case 'MethodDefinition':
        return [node.type, node.kind ?? '', node.static ?? false, this.#key(node), this.write(node.value)]
      case 'MemberExpression':
        return this.#member(node)
      case 'CallExpression':
        return isNameKeeper(node) ? this.write((node.arguments as unknown[])[0]) : this.#plain(node)
      case 'SequenceExpression':
        return this.#sequence(node)
      case 'UnaryExpression':
        return node.operator === 'void' && isZero(node.argument) ? ['undefined'] : this.#plain(node)
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        // Whether it is an arrow or a method is a way of writing, and so is a name that only it can see.
        return this.#function(node)
      case 'VariableDeclaration':
        return ['let', this.write(node.declarations)]
      case 'IfStatement':
        return ['if', this.write(node.test), this.#body(node.consequent), this.#body(node.alternate)]
      default:
        return 'body' in node && !Array.isArray(node.body)
          ? this.#plain({ ...node, body: block(node.body) })
          : this.#plain(node)
    }
  }

  /** Members that say nothing are left out: a later parser may have more of them. */
  #plain(node: SyntaxNode): unknown {
    const members = Object.keys(node).filter((name) => !unread.has(name) && !isNothing(node[name]))
    return [node.type, ...members.sort().map((name) => [name, this.write(node[name])])]
  }

  #identifier(name: string): unknown {
    if (name === 'undefined') return ['undefined']
    if (!this.#locals.has(name)) return ['outside', name]
    const number = this.#numbers.get(name) ?? this.#numbers.size
    this.#numbers.set(name, number)
    return ['local', number]
  }

  #key({ key, computed }: SyntaxNode): unknown {
    if (!isNode(key)) return key
    if (key.type === 'Literal') return ['name', String(key.value)]
    return computed === true || key.type !== 'Identifier' ? this.write(key) : ['name', key.name]
  }

  #member(node: SyntaxNode): unknown {
    const { object, property, computed, optional } = node
    const name = this.#key({ type: '', key: property, computed })
    const isImported = isNode(object) && object.type === 'Identifier' && importNamespace.test(String(object.name))
    if (isImported && !this.#locals.has(String(object.name)) && isNamed(name)) return ['outside', name[1]]
    return ['member', this.write(object), name, optional]
  }

  #sequence(node: SyntaxNode): unknown {
    const expressions = node.expressions as unknown[]
    // `(0, x.name)(...)` calls an imported function without its object.
    return expressions.length === 2 && isZero(expressions[0]) ? this.write(expressions[1]) : this.#plain(node)
  }

  #template(node: SyntaxNode): unknown {
    const { quasis, expressions } = node as { quasis?: unknown; expressions?: unknown }
    const texts = this.write(quasis) as unknown[]
    if (texts.length === 1) return ['string', texts[0]]
    return ['template', texts, this.write(expressions)]
  }

  #function({ params, body, async, generator }: SyntaxNode): unknown {
    const statements = isNode(body) && body.type !== 'BlockStatement' ? returning(body) : body
    return ['function', async, generator, this.write(params), this.write(statements)]
  }

  #body(statement: unknown): unknown {
    return statement === null ? null : this.write(block(statement))
  }
}

function literal({ value, regex, bigint }: SyntaxNode): unknown {
  if (regex !== undefined && regex !== null) return ['regex', regex]
  if (bigint !== undefined && bigint !== null) return ['bigint', bigint]
  return [typeof value, typeof value === 'number' ? String(value) : value]
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === false
}

function isNamed(name: unknown): name is readonly ['name', string] {
  return Array.isArray(name) && name[0] === 'name'
}

function isNameKeeper({ callee }: SyntaxNode): boolean {
  return isNode(callee) && callee.type === 'Identifier' && callee.name === nameKeeper
}

function isZero(node: unknown): boolean {
  return isNode(node) && node.type === 'Literal' && node.value === 0
}

/** Directives, lone semicolons, and calls that only keep a name. */
function isEmptyStatement(node: unknown): boolean {
  if (!isNode(node)) return false
  if (node.type === 'EmptyStatement' || node.directive !== undefined) return true
  if (node.type === 'StaticBlock') return (node.body as unknown[]).every(isEmptyStatement)
  const { expression } = node
  return (
    node.type === 'ExpressionStatement' &&
    isNode(expression) &&
    expression.type === 'CallExpression' &&
    isNameKeeper(expression)
  )
}

/** `{ statement }`, which formatters write for `statement`. */
function block(statement: unknown): unknown {
  if (!isNode(statement) || statement.type === 'BlockStatement' || statement.type === 'ClassBody') return statement
  return { type: 'BlockStatement', body: [statement] }
}

function returning(argument: SyntaxNode): SyntaxNode {
  return { type: 'BlockStatement', body: [{ type: 'ReturnStatement', argument }] }
}
