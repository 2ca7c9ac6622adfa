import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dump } from 'js-yaml'
import t from 'tap'
import { createProof } from '../../src/deploy/prove/prove.ts'
import { readFolder } from '../../src/packages/files.ts'
import { packFiles, renderPackage } from '../../src/packages/pack.ts'
import { bootProofPlane } from '../../src/plane/proof.ts'
import { packOptions, sandbox } from './make-package.ts'

const registry = new URL('../../packages-registry/', import.meta.url)

interface Index {
  readonly packages: readonly {
    readonly name: string
    readonly description: string
    readonly versions: readonly { readonly version: string; readonly folder: string }[]
  }[]
}

const { packages } = JSON.parse(readFileSync(new URL('index.json', registry), 'utf8')) as Index
const listed = packages.flatMap(({ name, description, versions }) =>
  versions.map(({ version, folder }) => ({ name, description, version, folder })),
)

t.test('the index lists every folder of the registry', async (t) => {
  const folders = readdirSync(registry, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  t.same(folders.map(({ name }) => name).sort(), listed.map(({ folder }) => folder).sort())
})

for (const { name, description, version, folder } of listed) {
  const path = new URL(`${folder}/`, registry).pathname

  t.test(`${folder} is what the index says, and packs`, async (t) => {
    const files = await readFolder(path)
    const prove = createProof({ bootPlane: bootProofPlane })
    const packed = await packFiles({ ...packOptions(files), prove })
    t.match(packed.manifest, { name, version, description })
    t.equal(packed.report.accepted, packed.objects.length)
  })

  t.test(`${folder} renders to its golden`, async (t) => {
    const { objects } = await renderPackage({ files: await readFolder(path), sandbox })
    const text = objects.map(({ object }) => dump(object, { lineWidth: 120, noRefs: true })).join('---\n')
    const golden = new URL(`golden/${folder}.yaml`, import.meta.url)
    if (process.env['TAP_SNAPSHOT'] === '1' || !existsSync(golden)) writeFileSync(golden, text)
    t.equal(text, readFileSync(golden, 'utf8'))
  })
}

t.test('guestbook takes the values that its schema allows, and no others', async (t) => {
  const files = await readFolder(new URL('guestbook/', registry).pathname)
  const render = (settings: readonly string[]) => renderPackage({ files, sandbox, overrides: { settings } })
  const { objects } = await render(['operator.replicas=2', 'podLabels.team=red', 'web.image=web:1'])
  const operator = objects.find(({ object }) => object.kind === 'Deployment')?.object
  t.match(operator?.['spec'], {
    replicas: 2,
    template: {
      metadata: { labels: { team: 'red' } },
      spec: {
        containers: [
          {
            env: [
              { name: 'LOG_LEVEL', value: 'info' },
              { name: 'WEB_IMAGE', value: 'web:1' },
            ],
          },
        ],
      },
    },
  })
  await t.rejects(render(['operator.replicas=9']), { message: /operator\.replicas: must be <= 3, not 9/ })
  await t.rejects(render(['operator.logLevel=loud']), {
    message: /operator\.logLevel: must be one of "error", "info", "debug"/,
  })
})
