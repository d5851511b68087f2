import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Text } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../translation';
import { Acting } from '../acting';
import { Chosen } from './useSelection';
import styles from './service.module.css';

interface SelectionBarProps {
  chosen: Chosen;
  /** How many the filter lists. */
  total: number;
  /** Whether what is listed is dead: nothing else can be acted on. */
  canAct: boolean;
  resourceRef: string;
  onChanged: () => void;
}

/** What is chosen, and what can be done with it. */
export function SelectionBar(props: SelectionBarProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { chosen, total, canAct, resourceRef, onChanged } = props;
  const count = chosen.all ? total : chosen.ids.size;
  if (!canAct) {
    return <Text color="secondary">{t('service.onlyDead')}</Text>;
  }
  return (
    <div className={styles.selection}>
      <Acting
        selection={chosen.selection}
        resourceRef={resourceRef}
        onChanged={onChanged}
      />
      <Text as="span" role="status">
        {t(chosen.all ? 'service.allSelected' : 'service.selected', { count })}
      </Text>
      {!chosen.all && total > 0 && (
        <Button size="small" variant="secondary" onPress={chosen.chooseAll}>
          {t('service.selectAllMatching', { count: total })}
        </Button>
      )}
      {count > 0 && (
        <Button size="small" variant="tertiary" onPress={chosen.clear}>
          {t('service.clearSelection')}
        </Button>
      )}
    </div>
  );
}
