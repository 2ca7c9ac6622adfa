// The shape of x-kubernetes-validations: what each rule must and may say.
// The expressions are compiled by ../rules/check.ts.

import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { textOf } from '../../kinds/fields.ts'
import type { Props } from './props.ts'

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

export function checkRules(props: Props, path: string): readonly FieldError[] {
  return (props['x-kubernetes-validations'] ?? []).flatMap((rule, index) =>
    checkRule(rule, `${path}.x-kubernetes-validations[${index}]`),
  )
}

type Rule = NonNullable<Props['x-kubernetes-validations']>[number]

function checkRule(rule: Rule, path: string): readonly FieldError[] {
  const messageExpression = textOf(rule.messageExpression)
  const fieldPath = textOf(rule.fieldPath)
  const reason = textOf(rule.reason)
  return [
    ...checkText(rule, path),
    ...(messageExpression !== '' && messageExpression.trim() === ''
      ? [fieldRequired(`${path}.messageExpression`, 'messageExpression must be non-empty if specified')]
      : []),
    ...(reason !== '' && !reasons.includes(reason)
      ? [fieldNotSupported(`${path}.reason`, reason, reasons)]
      : []),
    ...(fieldPath !== '' && fieldPath.trim() === ''
      ? [fieldInvalid(`${path}.fieldPath`, fieldPath, 'must be non-empty if specified')]
      : []),
    ...(hasLineBreak(fieldPath)
      ? [fieldInvalid(`${path}.fieldPath`, fieldPath, 'must not contain line breaks')]
      : []),
  ]
}

function checkText(rule: Rule, path: string): readonly FieldError[] {
  const expression = textOf(rule.rule).trim()
  const message = textOf(rule.message)
  if (expression === '') return [fieldRequired(`${path}.rule`, 'rule is not specified')]
  if (message !== '' && message.trim() === '')
    return [fieldInvalid(`${path}.message`, message, 'must be non-empty if specified')]
  if (hasLineBreak(message.trim()))
    return [fieldInvalid(`${path}.message`, message, 'must not contain line breaks')]
  if (hasLineBreak(expression) && message === '')
    return [fieldRequired(`${path}.message`, 'message must be specified if rule contains line breaks')]
  return []
}

const hasLineBreak = (text: string): boolean => /[\n\r]/.test(text)
