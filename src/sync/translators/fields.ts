// The field rules of everything inside a pod.
// What "rewritten" means for a field is pod.ts's, container.ts's and volumes.ts's.

import type {
  Container,
  ContainerPort,
  EnvVarSource,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  PodSecurityContext,
  PodSpec,
  Probe,
  ResourceRequirements,
  SecurityContext,
  TCPSocketAction,
  Volume,
  VolumeMount,
  VolumeProjection,
} from '../../api/models.ts'
import type { FieldRules } from './translation.ts'

const byPolicy = "the host's operator decides"
const hostNamespace = 'pods do not share namespaces of the host'
const volumeType = 'volumes of this type are not allowed'
const devices = 'claims for devices are not supported'

export const podSpecRules: FieldRules<PodSpec> = {
  copied: [
    'activeDeadlineSeconds',
    'hostUsers',
    'os',
    'restartPolicy',
    'shareProcessNamespace',
    'terminationGracePeriodSeconds',
  ],
  rewritten: [
    'automountServiceAccountToken',
    'containers',
    'dnsConfig',
    'dnsPolicy',
    'enableServiceLinks',
    'hostAliases',
    'hostname',
    'imagePullSecrets',
    'initContainers',
    'resources',
    'schedulerName',
    'securityContext',
    'serviceAccountName',
    'tolerations',
    'volumes',
  ],
  dropped: {
    overhead: 'set by the host from its runtime class',
    preemptionPolicy: 'comes with the priority class',
    priority: 'computed from the priority class',
    readinessGates: 'readiness is computed in the plane',
    schedulingGates: 'pods go to the host when all gates are gone',
    serviceAccount: 'the old name of serviceAccountName',
    setHostnameAsFQDN: 'the FQDN of the host would show its namespace',
    subdomain: 'answered by the plane, the host has no Service of this name',
  },
  ignored: {
    affinity: byPolicy,
    ephemeralContainers: 'ephemeral containers are not synced',
    hostnameOverride: 'not supported by all hosts',
    nodeName: byPolicy,
    nodeSelector: byPolicy,
    priorityClassName: byPolicy,
    runtimeClassName: byPolicy,
    schedulingGroup: byPolicy,
    topologySpreadConstraints: byPolicy,
  },
  refused: {
    hostIPC: hostNamespace,
    hostNetwork: hostNamespace,
    hostPID: hostNamespace,
    resourceClaims: devices,
  },
}

export const containerRules: FieldRules<Container> = {
  copied: [
    'args',
    'command',
    'image',
    'imagePullPolicy',
    'name',
    'resizePolicy',
    'restartPolicy',
    'restartPolicyRules',
    'stdin',
    'stdinOnce',
    'terminationMessagePath',
    'terminationMessagePolicy',
    'tty',
    'volumeDevices',
    'workingDir',
  ],
  rewritten: [
    'env',
    'envFrom',
    'lifecycle',
    'livenessProbe',
    'ports',
    'readinessProbe',
    'resources',
    'securityContext',
    'startupProbe',
    'volumeMounts',
  ],
}

export const portRules: FieldRules<ContainerPort> = {
  copied: ['containerPort', 'name', 'protocol'],
  rewritten: [],
  ignored: {
    hostIP: 'pods get no ports of the node',
    hostPort: 'pods get no ports of the node',
  },
}

export const resourcesRules: FieldRules<ResourceRequirements> = {
  copied: ['limits', 'requests'],
  rewritten: [],
  refused: { claims: devices },
}

export const mountRules: FieldRules<VolumeMount> = {
  copied: [
    'mountPath',
    'mountPropagation',
    'name',
    'readOnly',
    'recursiveReadOnly',
    'subPath',
    'subPathExpr',
  ],
  rewritten: [],
}

export const probeRules: FieldRules<Probe> = {
  copied: [
    'exec',
    'failureThreshold',
    'grpc',
    'initialDelaySeconds',
    'periodSeconds',
    'successThreshold',
    'terminationGracePeriodSeconds',
    'timeoutSeconds',
  ],
  rewritten: ['httpGet', 'tcpSocket'],
}

const probedHost = 'the node would connect to any address for the tenant'

export const httpGetRules: FieldRules<HTTPGetAction> = {
  copied: ['httpHeaders', 'path', 'port', 'scheme'],
  rewritten: [],
  refused: { host: probedHost },
}

export const tcpSocketRules: FieldRules<TCPSocketAction> = {
  copied: ['port'],
  rewritten: [],
  refused: { host: probedHost },
}

export const lifecycleRules: FieldRules<Lifecycle> = {
  copied: ['stopSignal'],
  rewritten: ['postStart', 'preStop'],
}

export const handlerRules: FieldRules<LifecycleHandler> = {
  copied: ['exec', 'sleep'],
  rewritten: ['httpGet', 'tcpSocket'],
}

export const podSecurityRules: FieldRules<PodSecurityContext> = {
  copied: [
    'appArmorProfile',
    'fsGroup',
    'fsGroupChangePolicy',
    'runAsGroup',
    'runAsNonRoot',
    'runAsUser',
    'seLinuxChangePolicy',
    'seLinuxOptions',
    'seccompProfile',
    'supplementalGroups',
    'supplementalGroupsPolicy',
    'sysctls',
    'windowsOptions',
  ],
  rewritten: [],
}

export const securityRules: FieldRules<SecurityContext> = {
  copied: [
    'allowPrivilegeEscalation',
    'appArmorProfile',
    'capabilities',
    'privileged',
    'procMount',
    'readOnlyRootFilesystem',
    'runAsGroup',
    'runAsNonRoot',
    'runAsUser',
    'seLinuxOptions',
    'seccompProfile',
    'windowsOptions',
  ],
  rewritten: [],
}

export const envSourceRules: FieldRules<EnvVarSource> = {
  copied: ['fileKeyRef', 'resourceFieldRef'],
  rewritten: ['configMapKeyRef', 'fieldRef', 'secretKeyRef'],
}

export const volumeRules: FieldRules<Volume> = {
  copied: ['emptyDir', 'image', 'name'],
  rewritten: ['configMap', 'downwardAPI', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'],
  refused: {
    awsElasticBlockStore: volumeType,
    azureDisk: volumeType,
    azureFile: volumeType,
    cephfs: volumeType,
    cinder: volumeType,
    csi: volumeType,
    fc: volumeType,
    flexVolume: volumeType,
    flocker: volumeType,
    gcePersistentDisk: volumeType,
    gitRepo: volumeType,
    glusterfs: volumeType,
    hostPath: volumeType,
    iscsi: volumeType,
    nfs: volumeType,
    photonPersistentDisk: volumeType,
    portworxVolume: volumeType,
    quobyte: volumeType,
    rbd: volumeType,
    scaleIO: volumeType,
    storageos: volumeType,
    vsphereVolume: volumeType,
  },
}

export const projectionRules: FieldRules<VolumeProjection> = {
  copied: [],
  rewritten: ['configMap', 'downwardAPI', 'secret', 'serviceAccountToken'],
  refused: {
    clusterTrustBundle: "would show the host's trust bundles",
    podCertificate: "would be signed by the host's signers",
  },
}
