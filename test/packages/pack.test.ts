import t from 'tap'
import { type PackStep, packFiles } from '../../src/packages/pack.ts'
import { configMapText, filesOf, manifestText, packOptions, takesAll } from './make-package.ts'

const files = filesOf({
  'k3v.yaml': manifestText(),
  'manifests/a.yaml': `${configMapText('a')}---\n${configMapText('b', '\n  x: 1\n')}`,
})

t.test('packFiles() goes through its steps and keeps what the proof could not tell', async (t) => {
  const steps: PackStep[] = []
  const prove = async (request: Parameters<typeof takesAll>[0]) => ({
    ...(await takesAll(request)),
    unproved: ['a thing'],
  })
  const packed = await packFiles({ ...packOptions(files), prove, onStep: (step) => steps.push(step) })
  t.same(steps, ['read', 'render', 'prove', 'program', 'archive'])
  t.same(packed.lock.unproved, ['a thing'])
  t.equal(packed.lock.objects, 2)
})

t.test('packFiles() refuses what the proof refused, by line, in the order of the package', async (t) => {
  const options = packOptions(files)
  let wasProgramAsked = false
  const packing = packFiles({
    ...options,
    prove: async () => ({
      accepted: 0,
      refused: [
        { file: 'manifests/a.yaml', document: 2, field: 'data.x', message: 'second' },
        { file: 'manifests/a.yaml', document: 1, message: 'first' },
      ],
      notReady: [{ file: 'k3v.yaml', message: 'a third' }],
      unproved: [],
    }),
    program: async () => {
      wasProgramAsked = true
      return new Map()
    },
  })
  await t.rejects(packing, {
    message:
      'k3v.yaml:1: a third\nmanifests/a.yaml:1: document 1: first\nmanifests/a.yaml:10: document 2: second',
  })
  t.notOk(wasProgramAsked)
})
