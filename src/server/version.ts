// What `/version` says: the Kubernetes version whose API this is, and that it is k3v who serves it.

/** The version of upstream that kinds, defaults and messages follow. */
export const kubernetesVersion = '1.36.3'

export function versionDocument(build: string): object {
  const [major = '', minor = ''] = kubernetesVersion.split('.')
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${kubernetesVersion}+${build}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}
