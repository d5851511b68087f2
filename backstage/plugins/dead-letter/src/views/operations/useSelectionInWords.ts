import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { sayTime } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { askedOf } from './operation';
import { sayId, sayNumber } from './say';

/** Says what an operation was asked to act on. */
export function useSelectionInWords(): (operation: Operation) => string {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return operation => {
    const { ids, deletedBy, filter } = askedOf(operation);
    if (ids) {
      return t('operations.selection.ids', {
        count: ids.length,
        number: sayNumber(ids.length),
        of: operation.services?.length
          ? t('operations.selection.ofServices', {
              services: operation.services.join(', '),
            })
          : '',
      });
    }
    if (deletedBy) {
      return t('operations.selection.deletedBy', { value: sayId(deletedBy) });
    }
    const conditions = Object.entries(filter ?? {}).flatMap(([name, value]) => {
      if (value === null || value === undefined || name === 'status') return [];
      switch (name) {
        case 'service':
        case 'squad':
        case 'queue':
          return [t(`operations.selection.${name}`, { value: String(value) })];
        case 'errorGroup':
          return [
            t('operations.selection.errorGroup', {
              value: sayId(String(value)),
            }),
          ];
        case 'returnedFrom':
          return [
            t('operations.selection.returnedFrom', {
              value: sayId(String(value)),
            }),
          ];
        case 'find':
          return [t('operations.selection.find', { value: String(value) })];
        case 'returned':
          return [
            value === true
              ? t('operations.selection.returned')
              : t('operations.selection.other', { name, value: String(value) }),
          ];
        case 'from':
        case 'to':
          return [
            t(`operations.selection.${name}`, {
              value: sayTime(new Date(String(value))),
            }),
          ];
        default:
          return [
            t('operations.selection.other', { name, value: String(value) }),
          ];
      }
    });
    return conditions.length
      ? t('operations.selection.filter', { of: conditions.join(', ') })
      : t('operations.selection.all');
  };
}
