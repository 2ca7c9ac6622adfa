// The formats of CRD schemas that carry a check digit: book and card numbers.
// Which other formats there are stands in formats.ts.

const isIsbn10 = (text: string): boolean => {
  const digits = text.replaceAll(/[\s-]/g, '')
  if (!/^[0-9]{9}[0-9X]$/.test(digits)) return false
  const sum = [...digits].reduce(
    (total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)),
    0,
  )
  return sum % 11 === 0
}

const isIsbn13 = (text: string): boolean => {
  const digits = text.replaceAll(/[\s-]/g, '')
  if (!/^[0-9]{13}$/.test(digits)) return false
  return (
    [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0) % 10 ===
    0
  )
}

const cardPattern =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/

const isCreditCard = (text: string): boolean => {
  const digits = text.replaceAll(/[^0-9]+/g, '')
  if (!cardPattern.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = index % 2 === 0 ? Number(digit) : Number(digit) * 2
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

export const checksumFormats = {
  isbn: (text: string) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
} as const
