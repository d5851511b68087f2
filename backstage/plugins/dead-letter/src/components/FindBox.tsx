import {
  useAppNavigate,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Button, Flex, SearchField } from '@backstage/ui';
import { useEffect, useState } from 'react';
import { FIND_PARAMETER, useSearchPath } from '../hooks/useMessagePath';
import { deadLetterTranslationRef } from '../translation';
import styles from './FindBox.module.css';

/** Looks in all services for an id or a text, and says what it looks through. It leads to the page with what is found. */
export function FindBox({ found = '' }: { found?: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const navigate = useAppNavigate();
  const toSearch = useSearchPath();
  const [typed, setTyped] = useState(found);
  useEffect(() => setTyped(found), [found]);
  return (
    <form
      role="search"
      aria-label={t('search.label')}
      className={styles.box}
      onSubmit={event => {
        event.preventDefault();
        const text = typed.trim();
        if (text) navigate(toSearch({ [FIND_PARAMETER]: text }));
      }}
    >
      <Flex gap="2" align="end">
        <SearchField
          label={t('search.label')}
          placeholder={t('search.placeholder')}
          value={typed}
          onChange={setTyped}
        />
        <Button type="submit" isDisabled={typed.trim() === ''}>
          {t('search.button')}
        </Button>
      </Flex>
    </form>
  );
}
