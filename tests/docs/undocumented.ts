import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { rootFolder } from './code-blocks.js'

/** A field or an option, and whether a line says what it is. */
export interface Member {
  /** `src/devices/device.ts:42 name`. */
  readonly place: string
  /** The file, without the line. */
  readonly file: string
  readonly isDocumented: boolean
}

const schemaMakers = new Set(['strictObject', 'object', 'looseObject'])

/** Every field of an entity or a question, and every member of a public interface of options or questions. */
export function members(): Member[] {
  const files = readdirSync(join(rootFolder, 'src'), { recursive: true }).map((file) => `src/${file}`)
  const sources = files.filter((file) => file.endsWith('.ts')).map(parse)
  const isPublic = publicNames(sources.filter(({ fileName }) => /(index|offline)\.ts$/.test(fileName)))
  return sources.flatMap((source) => membersOf(source, isPublic))
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(rootFolder, file), 'utf8'), ts.ScriptTarget.Latest, true)
}

/** What the entry points export. */
function publicNames(entryPoints: readonly ts.SourceFile[]): ReadonlySet<string> {
  const clauses = entryPoints.flatMap(({ statements }) => statements.filter(ts.isExportDeclaration))
  return new Set(
    clauses.flatMap(({ exportClause }) =>
      exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : [],
    ),
  )
}

function membersOf(source: ts.SourceFile, isPublic: ReadonlySet<string>): Member[] {
  const file = source.fileName
  const inputs = source.text.matchAll(/export type (\w+) = (?:Stored<typeof|z\.input<)/g)
  const hasSchemas = [...inputs].some(([, name = '']) => isPublic.has(name))
  const found: Member[] = []
  const visit = (node: ts.Node): void => {
    if (hasSchemas && (isFields(node) || isSchema(node))) node.properties.filter(ts.isPropertyAssignment).forEach(add)
    if (ts.isInterfaceDeclaration(node) && isPublic.has(node.name.text) && /(Options|Question)$/.test(node.name.text))
      node.members.filter(ts.isPropertySignature).forEach(add)
    ts.forEachChild(node, visit)
  }
  const add = (member: ts.PropertyAssignment | ts.PropertySignature) => {
    const { line } = source.getLineAndCharacterOfPosition(member.getStart())
    const comments = ts.getJSDocCommentsAndTags(member)
    found.push({ file, place: `${file}:${line + 1} ${member.name.getText()}`, isDocumented: comments.length > 0 })
  }
  visit(source)
  return found
}

/** The object that a maker of zod schemas is called with. */
function isSchema(node: ts.Node): node is ts.ObjectLiteralExpression {
  if (!ts.isObjectLiteralExpression(node) || !ts.isCallExpression(node.parent)) return false
  const { expression } = node.parent
  return ts.isPropertyAccessExpression(expression) && schemaMakers.has(expression.name.text)
}

/** The `fields` of an entity. */
function isFields(node: ts.Node): node is ts.ObjectLiteralExpression {
  return (
    ts.isObjectLiteralExpression(node) &&
    ts.isPropertyAssignment(node.parent) &&
    node.parent.name.getText() === 'fields'
  )
}
