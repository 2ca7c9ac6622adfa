// Definitions in a whole plane: established, in conflict over names, changed, and emptied before they go.
// What kubectl makes of it stands in test/plane.

import { type Test, test } from 'tap'
import type { CustomResourceDefinition } from '../../src/api/models.ts'
import type { KubeObject } from '../../src/api/object.ts'
import type { AnyObject, Client, ResourceRef } from '../../src/client/client.ts'
import { customResourceDefinitions } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { until as untilObjects } from '../controllers/simulate-pods.ts'
import { definition, version, type Wanted, widget } from './definitions.ts'

const widgets: ResourceRef = { group: 'example.com', version: 'v1', resource: 'widgets', isNamespaced: true }

async function start(t: Test): Promise<Client> {
  // The port keeps the process alive while nothing but a timer of the plane is waited for.
  const plane = await openPlane({ listen: { host: '127.0.0.1', port: 0 } })
  t.teardown(() => plane.close())
  return plane.clientFor()
}

const crd = (wanted: Wanted = {}): CustomResourceDefinition =>
  definition(wanted) as unknown as CustomResourceDefinition

/** Waits for the definition to look as wanted; undefined when it is gone. */
async function until(
  client: Client,
  name: string,
  isFine: (definition: CustomResourceDefinition | undefined) => boolean,
): Promise<CustomResourceDefinition | undefined> {
  const named = (all: readonly CustomResourceDefinition[]) =>
    all.find(({ metadata }) => metadata.name === name)
  return named(await untilObjects(client, customResourceDefinitions, (all) => isFine(named(all))))
}

const conditionOf = (definition: CustomResourceDefinition | undefined, type: string) =>
  definition?.status?.conditions?.find((condition) => condition.type === type)

const isEstablished = (definition: CustomResourceDefinition | undefined): boolean =>
  conditionOf(definition, 'Established')?.status === 'True'

async function establish(client: Client, wanted: Wanted = {}): Promise<void> {
  const made = await client.create(customResourceDefinitions, crd(wanted))
  await until(client, made.metadata.name ?? '', isEstablished)
}

const any = { 'x-kubernetes-preserve-unknown-fields': true }
const open = {
  versions: [version({ type: 'object', properties: { spec: any } }, { subresources: { status: {} } })],
}

test('a new definition is given its names and established', async (t) => {
  const client = await start(t)
  await establish(client)
  const found = await client.get(customResourceDefinitions, { name: 'widgets.example.com' })
  t.match(found?.status, {
    acceptedNames: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    storedVersions: ['v1'],
  })
  t.match(conditionOf(found, 'NamesAccepted'), {
    status: 'True',
    reason: 'NoConflicts',
    message: 'no conflicts found',
  })
  t.match(conditionOf(found, 'Established'), {
    reason: 'InitialNamesAccepted',
    message: 'the initial names have been accepted',
  })
})

test('names that are taken are not accepted until they are free', async (t) => {
  const client = await start(t)
  await establish(client)
  await client.create(customResourceDefinitions, crd({ plural: 'gadgets' }))
  const waiting = await until(
    client,
    'gadgets.example.com',
    (one) => conditionOf(one, 'NamesAccepted') !== undefined,
  )
  t.match(conditionOf(waiting, 'NamesAccepted'), {
    status: 'False',
    reason: 'ListKindConflict',
    message: '"WidgetList" is already in use',
  })
  t.match(conditionOf(waiting, 'Established'), { status: 'False', reason: 'NotAccepted' })
  await client.delete(customResourceDefinitions, { name: 'widgets.example.com' })
  t.ok(await until(client, 'gadgets.example.com', isEstablished))
})

test('a definition goes when its last instance is gone, and comes back empty', async (t) => {
  const client = await start(t)
  await establish(client, open)
  const target = { namespace: 'default', name: 'first' }
  const held = widget({ a: 1 })
  await client.create(widgets, { ...held, metadata: { ...held.metadata, finalizers: ['example.com/hold'] } })
  const marked = await client.delete(customResourceDefinitions, { name: 'widgets.example.com' })
  t.same(marked?.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  const emptying = (one: CustomResourceDefinition | undefined) =>
    conditionOf(one, 'Terminating')?.reason === 'InstanceDeletionInProgress'
  t.ok(await until(client, 'widgets.example.com', emptying))
  await t.rejects(
    client.create(widgets, { ...held, metadata: { ...held.metadata, name: 'late' } } as AnyObject),
    {
      code: 405,
    },
  )
  const body = { metadata: { finalizers: null } }
  await client.patch(widgets, target, { type: 'merge', body })
  await until(client, 'widgets.example.com', (one) => one === undefined)
  await t.rejects(client.get(widgets, target), { code: 404 })
  await establish(client, open)
  t.equal(await client.get(widgets, target), undefined)
})

test('generation grows with the spec and not with the status', async (t) => {
  const client = await start(t)
  await establish(client, open)
  const generation = (object: AnyObject) => object.metadata.generation
  const made = await client.create(widgets, widget({ a: 1 }))
  t.equal(generation(made), 1)
  const changed = await client.update(widgets, { ...made, spec: { a: 2 } } as AnyObject)
  t.equal(generation(changed), 2)
  const labels = await client.update(widgets, {
    ...changed,
    metadata: { ...changed.metadata, labels: { a: 'b' } },
  })
  t.equal(generation(labels), 2)
  const status = await client.updateStatus(widgets, { ...labels, status: { ready: true } } as AnyObject)
  t.equal(generation(status), 2)
  const { resourceVersion: _, ...metadata } = status.metadata
  await t.rejects(client.update(widgets, { ...status, metadata }), {
    code: 422,
    message: /metadata.resourceVersion: Invalid value: 0: must be specified for an update/,
  })
})

test('one object is seen in every version, each with its own defaults', async (t) => {
  const client = await start(t)
  const schema = (size: number) => ({
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { [`size${size}`]: { type: 'integer', default: size } } },
    },
  })
  await establish(client, {
    versions: [version(schema(1)), version(schema(2), { name: 'v2', storage: false })],
  })
  await client.create(widgets, widget({}))
  const target = { namespace: 'default', name: 'first' }
  const v1 = (await client.get(widgets, target)) as KubeObject | undefined
  const v2 = (await client.get({ ...widgets, version: 'v2' }, target)) as KubeObject | undefined
  t.match(v1, { apiVersion: 'example.com/v1', spec: { size1: 1 } })
  t.match(v2, { apiVersion: 'example.com/v2', spec: { size2: 2 } })
  t.equal(v1?.metadata.resourceVersion, v2?.metadata.resourceVersion)
  t.same(v2?.['spec'], { size2: 2 }, 'what a version does not know it does not show')
})
