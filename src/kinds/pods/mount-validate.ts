// The rules for what containers mount: volumes that exist, each path once.
// Upstream: ValidateVolumeMounts, ValidateVolumeDevices.

import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, textOf } from '../fields.ts'
import { checkNoBacksteps, checkRelativePath } from '../rules.ts'
import type { Volumes } from './volume-validate.ts'

type Errors = readonly FieldError[]

export function checkMounts(container: Fields, volumes: Volumes, field: string): Errors {
  const devices = itemsOf(container['volumeDevices'])
  const paths = new Set<string>()
  return itemsOf(container['volumeMounts']).flatMap((mount, index) => {
    const path = `${field}[${index}]`
    const name = textOf(mount['name'])
    const mountPath = textOf(mount['mountPath'])
    const errors: FieldError[] = []
    if (name === '') errors.push(fieldRequired(`${path}.name`))
    if (!volumes.has(name)) errors.push(fieldNotFound(`${path}.name`, name))
    if (mountPath === '') errors.push(fieldRequired(`${path}.mountPath`))
    if (paths.has(mountPath)) errors.push(fieldInvalid(`${path}.mountPath`, mountPath, 'must be unique'))
    paths.add(mountPath)
    if (devices.some((device) => device['name'] === name)) {
      errors.push(fieldInvalid(`${path}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some((device) => device['devicePath'] === mountPath)) {
      const detail = 'must not already exist as a path in volumeDevices'
      errors.push(fieldInvalid(`${path}.mountPath`, mountPath, detail))
    }
    return [...errors, ...checkSubPaths(mount, field, path), ...checkPropagation(mount, container, field)]
  })
}

/** Upstream's paths name the list here, not the mount. */
function checkSubPaths(mount: Fields, field: string, path: string): Errors {
  const subPath = textOf(mount['subPath'])
  const expression = textOf(mount['subPathExpr'])
  return [
    ...(subPath === '' ? [] : checkRelativePath(subPath, `${field}.subPath`)),
    ...(subPath === '' || expression === ''
      ? []
      : [fieldInvalid(`${path}.subPathExpr`, expression, 'subPathExpr and subPath are mutually exclusive')]),
    ...(expression === '' ? [] : checkRelativePath(expression, `${field}.subPathExpr`)),
  ]
}

const propagations = ['Bidirectional', 'HostToContainer', 'None']
const recursions = ['Disabled', 'Enabled', 'IfPossible']

function checkPropagation(mount: Fields, container: Fields, field: string): Errors {
  const errors: FieldError[] = []
  const propagation = mount['mountPropagation']
  const recursion = mount['recursiveReadOnly']
  if (isPresent(propagation)) {
    const path = `${field}.mountPropagation`
    if (!propagations.includes(textOf(propagation)))
      errors.push(fieldNotSupported(path, propagation, propagations))
    if (propagation === 'Bidirectional' && fieldsOf(container['securityContext'])['privileged'] !== true) {
      const detail = 'Bidirectional mount propagation is available only to privileged containers'
      errors.push(fieldForbidden(path, detail))
    }
  }
  if (!isPresent(recursion) || recursion === 'Disabled') return errors
  const path = `${field}.recursiveReadOnly`
  if (!recursions.includes(textOf(recursion)))
    return [...errors, fieldNotSupported(path, recursion, recursions)]
  if (mount['readOnly'] !== true)
    errors.push(fieldForbidden(path, 'may only be specified when readOnly is true'))
  if (isPresent(propagation) && propagation !== 'None') {
    errors.push(fieldForbidden(path, 'may only be specified when mountPropagation is None or not specified'))
  }
  return errors
}

export function checkDevices(container: Fields, volumes: Volumes, field: string): Errors {
  const mounts = itemsOf(container['volumeMounts'])
  const names = new Set<string>()
  const paths = new Set<string>()
  return itemsOf(container['volumeDevices']).flatMap((device, index) => {
    const path = `${field}[${index}]`
    const name = textOf(device['name'])
    const devicePath = textOf(device['devicePath'])
    const errors: FieldError[] = []
    if (name === '') errors.push(fieldRequired(`${path}.name`))
    if (names.has(name)) errors.push(fieldInvalid(`${path}.name`, name, 'must be unique'))
    errors.push(...checkDeviceVolume(volumes.get(name), name, path))
    if (devicePath === '') errors.push(fieldRequired(`${path}.devicePath`))
    if (paths.has(devicePath)) errors.push(fieldInvalid(`${path}.devicePath`, devicePath, 'must be unique'))
    if (checkNoBacksteps(devicePath, path).length > 0) {
      errors.push(fieldInvalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"))
    }
    if (mounts.some((mount) => mount['name'] === name)) {
      errors.push(fieldInvalid(`${path}.name`, name, 'must not already exist in volumeMounts'))
    }
    if (mounts.some((mount) => mount['mountPath'] === devicePath)) {
      const detail = 'must not already exist as a path in volumeMounts'
      errors.push(fieldInvalid(`${path}.devicePath`, devicePath, detail))
    }
    names.add(name)
    paths.add(devicePath)
    return errors
  })
}

function checkDeviceVolume(volume: Fields | undefined, name: string, path: string): Errors {
  if (volume === undefined) return [fieldNotFound(`${path}.name`, name)]
  if (isPresent(volume['persistentVolumeClaim']) || isPresent(volume['ephemeral'])) return []
  const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
  return [fieldInvalid(`${path}.name`, name, detail)]
}
