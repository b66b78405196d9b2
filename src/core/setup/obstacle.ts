import { DatabaseError } from '../errors.js'

/** Something in the database that keeps `setup()` from bringing about what is declared, and what can be done about it. */
export interface SetupObstacle {
  readonly collection: string
  readonly kind: 'collection' | 'index' | 'documents' | 'duplicates' | 'privilege'
  /** What is in the way, such as `is a view`; without any value of a document. */
  readonly problem: string
  readonly advice: string
}

const describedObstacles = 20

/** Setup blocked error: what is in the database cannot be brought into the declared form. Nothing was changed. */
export class SetupBlockedError extends DatabaseError {
  readonly obstacles: readonly SetupObstacle[]

  constructor(obstacles: readonly SetupObstacle[]) {
    super('SETUP_BLOCKED', `setup() has changed nothing, because of what is in the database:${listOf(obstacles)}`)
    this.obstacles = obstacles
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), obstacles: this.obstacles }
  }
}

function listOf(obstacles: readonly SetupObstacle[]): string {
  const lines = obstacles
    .slice(0, describedObstacles)
    .map(({ collection, problem, advice }) => `\n- ${collection} ${problem}. ${advice}.`)
  const more = obstacles.length - describedObstacles
  return more > 0 ? `${lines.join('')}\n- and ${more} more` : lines.join('')
}

export const anotherName = 'give the library another name for its collection with the option `collections`'
