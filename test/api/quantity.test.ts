import { test } from 'tap'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  quantityMilliValue,
  quantityProblem,
  quantityText,
  quantityValue,
  subtractQuantities,
  zero,
} from '../../src/api/quantity.ts'

const quantity = (text: string) => parseQuantity(text) ?? zero

test("canonicalQuantity() writes what Go's decoder writes back", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['0', '0'],
    ['0.0', '0'],
    ['1', '1'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['1.5', '1500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1025Mi', '1025Mi'],
    ['0.5Gi', '512Mi'],
    ['1000000', '1M'],
    ['100e6', '100e6'],
    ['1E3', '1E3'],
    ['1000e3', '1e6'],
    ['0.1n', '1n'],
    ['-1000m', '-1'],
    ['512', '512'],
    ['1.500', '1.500'],
    ['9223372036854775808Ki', '9223372036854775807'],
  ]
  for (const [text, expected] of cases) t.equal(canonicalQuantity(text), expected, text)
  t.equal(canonicalQuantity(1), '1')
})

test('quantityProblem() explains in upstream words', async (t) => {
  t.equal(quantityProblem('1Gi'), undefined)
  t.match(quantityProblem('abc'), /quantities must match the regular expression/)
  t.match(quantityProblem(''), /quantities must match the regular expression/)
  t.equal(quantityProblem('1Mk'), "unable to parse quantity's suffix")
  t.equal(quantityProblem('1e999999999'), "unable to parse quantity's suffix")
})

test('quantities are added and compared exactly', async (t) => {
  t.equal(quantityText(addQuantities(quantity('100m'), quantity('0.9'))), '1')
  t.equal(quantityText(addQuantities(quantity('1Gi'), quantity('1Mi'))), '1025Mi')
  t.equal(quantityText(subtractQuantities(quantity('1'), quantity('1001m'))), '-1m')
  t.equal(compareQuantities(quantity('1Ki'), quantity('1024')), 0)
  t.equal(compareQuantities(quantity('1k'), quantity('1Ki')), -1)
  t.equal(compareQuantities(quantity('9007199254740993'), quantity('9007199254740992')), 1)
})

test('values are rounded away from zero', async (t) => {
  t.equal(quantityValue(quantity('100m')), 1)
  t.equal(quantityValue(quantity('2Gi')), 2_147_483_648)
  t.equal(quantityMilliValue(quantity('1.5')), 1_500)
  t.equal(quantityMilliValue(quantity('1u')), 1)
})
