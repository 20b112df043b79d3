-- AU-7: one live domanda a parent. Found by the parent under tutelage, where there is one, else by who asks; only for the
-- prestazione that has this rule, so that the others pay nothing for it.
CREATE INDEX domande_avente ON domande ((coalesce(genitore_tutelato, richiedente)))
WHERE servizio = 'AssegnoUnicoUniversale';
