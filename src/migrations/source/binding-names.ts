import { isRecord } from '../../core/is-record.js'

/** A node of a syntax tree as ESTree describes them. */
export interface SyntaxNode {
  readonly type: string
  readonly [member: string]: unknown
}

export function isNode(value: unknown): value is SyntaxNode {
  return isRecord(value) && typeof value.type === 'string'
}

/** The names that are declared anywhere in the tree: variables, parameters, functions, classes. */
export function bindingNames(tree: SyntaxNode): ReadonlySet<string> {
  const names = new Set<string>()
  collect(tree, names)
  return names
}

function collect(node: SyntaxNode, names: Set<string>): void {
  switch (node.type) {
    case 'VariableDeclarator':
    case 'ClassDeclaration':
    case 'ClassExpression':
      addPattern(node.id, names)
      break
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      addPattern(node.id, names)
      for (const parameter of node.params as unknown[]) addPattern(parameter, names)
      break
    case 'CatchClause':
      addPattern(node.param, names)
      break
  }
  for (const member of Object.values(node)) {
    for (const inner of Array.isArray(member) ? member : [member]) if (isNode(inner)) collect(inner, names)
  }
}

function addPattern(pattern: unknown, names: Set<string>): void {
  if (!isNode(pattern)) return
  switch (pattern.type) {
    case 'Identifier':
      names.add(String(pattern.name))
      break
    case 'ObjectPattern':
      for (const property of pattern.properties as SyntaxNode[]) addPattern(property.value ?? property.argument, names)
      break
    case 'ArrayPattern':
      for (const element of pattern.elements as unknown[]) addPattern(element, names)
      break
    case 'AssignmentPattern':
      addPattern(pattern.left, names)
      break
    case 'RestElement':
      addPattern(pattern.argument, names)
      break
  }
}
